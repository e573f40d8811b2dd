"""The verbs: check, train, evaluate, predict, compare, report, tag, convert – as functions and behind the CLI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from stancekit import codebook as codebooks
from stancekit import comparison, config, evaluation, reports
from stancekit.comparison import Comparison
from stancekit.config import Experiment
from stancekit.data import also
from stancekit.data import check as check_module
from stancekit.data import load as load_module
from stancekit.data.check import CheckReport
from stancekit.data.converted import Converted
from stancekit.data.dataset import Dataset, describe_left_out
from stancekit.data.predictions import Predictions
from stancekit.errors import fail
from stancekit.evaluation import Progress
from stancekit.files import dump_json, make_folder, read_json, read_text, spare, write_bytes, write_json
from stancekit.runs import otherdata, runfolder
from stancekit.runs.material import Material, gather, load_all
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.runs.summary import Summary, summarise
from stancekit.scoring import Scores
from stancekit.tagged import TaggedArticle
from stancekit.tagger import DEFAULT, Tagger
from stancekit.text.article import split
from stancekit.training import origin, seeds, single
from stancekit.training.fitting import Progress as StepProgress
from stancekit.training.fitting import Say, is_helper_process


def _silent(*_: Any, **__: Any) -> None:
    """Tell nobody."""


def check(
    source: str | Path,
    overrides: Sequence[str] = (),
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> CheckReport:
    """Check an experiment and its data, or a data file alone: every problem in one pass, with counts."""
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and load_module.exists(source):
        dataset, problems = load_module.survey(source, format=format, options=options or {})
        return check_module.check(dataset, problems=problems)
    if path.suffix not in ("", ".yaml", ".yml"):
        raise fail(source, "there is no such file", "give a data file, a bundled data set, or an experiment")
    plan, data, problems = config.survey(source, overrides)
    if plan is not None and not problems:
        with problems.catching(source):
            material = gather(plan)
            found = _checked(plan, material)
            return replace(found, warnings=(*found.warnings, *origin.notes(plan)))
    elif data is not None:
        with problems.catching(source):
            load_all(data)
    return CheckReport(problems)


def _checked(plan: Experiment, material: Material) -> CheckReport:
    """Check what an experiment is built on, how it is to be evaluated, its data and its split."""
    problems = origin.check(plan, material)
    examples = [example for part in material.parts.values() for example in part.examples]
    problems.found.extend(evaluation.check_plan(plan.evaluation, material.task.name, examples))
    return check_module.check(material.dataset, material.task, material.split, problems)


def train(
    experiment: str | Path | Experiment,
    overrides: Sequence[str] = (),
    *,
    mode: str = "new",
    say: Say = _silent,
    progress: StepProgress = _silent,
) -> Run | tuple[Run, ...]:
    """Train an experiment; return its run, or one a seed where it has several.

    `mode` says what to do with an earlier run of the same folder: `new` refuses, `replace` swaps it when the
    new one is finished, `resume` goes on with an unfinished one, `restart` starts anew. Of several processes
    that `accelerate launch` started, the first writes the run; the others return ().
    """
    plan = experiment if isinstance(experiment, Experiment) else config.load(experiment, overrides)
    if mode not in ("new", "replace", "resume", "restart"):
        raise fail("mode", f"there is no mode {mode!r}", "one of new, replace, resume, restart")
    say(f"reading the data of {plan.name}")
    material = gather(plan)
    if left_out := material.dataset.left_out:
        say(f"left out in reading: {describe_left_out(left_out)}")
    for one in material.dataset.also:
        say(also.describe(one, material.split))
    _checked(plan, material).problems.raise_any()
    for note in origin.notes(plan):
        say(f"note: {note}")
    if len(plan.seeds) > 1:
        return seeds.train(plan, material, say, progress, mode)
    if is_helper_process():
        single.help_train(plan, material, plan.seeds[0], plan.folder, mode=mode)
        return ()
    return single.train_run(plan, material, plan.seeds[0], plan.folder, say, progress, mode=mode)


def evaluate(
    run: str | Path | Run,
    *,
    part: str | None = None,
    data: str | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    trust_code: bool = False,
    no_text: bool = False,
    progress: Progress = _silent,
) -> Scores | Summary:
    """Score a run on a held-out part, test where none is named, or on other `data`, and write its report.

    Other data are stored under the name `part`, that of the file where absent, and read as the run's own where
    `format` and `options` do not say otherwise. A run of several seeds gives a summary over them: mean, standard
    deviation, and each seed's scores. With `no_text` the report shows no sentence.
    """
    name = otherdata.part_name(part, data)
    if data is None and (format or options):
        raise fail(
            "format", "the run's own data are read as in training", "name other data (--data FILE), or leave it out"
        )
    folder = run.path if isinstance(run, Run) else Path(run)
    several = not isinstance(run, Run) and (folder / "seeds.json").exists()
    if several:
        runs = [Run(folder / one, trust_code=trust_code) for one in read_json(folder / "seeds.json")["runs"]]
    else:
        runs = [run if isinstance(run, Run) else load_run(run, trust_code=trust_code)]
    for one in runs:
        one.expect_own()
    other = None if data is None else otherdata.read(runs[0], data, format, options)  # read alike by all seeds
    scores = {one.path.name: _evaluate(one, name, other, overrides or {}, no_text, progress) for one in runs}
    if not several:
        return scores[runs[0].path.name]
    summary = summarise(scores)
    write_json(folder / f"summary.{name}.json", summary.to_json())
    return summary


def _evaluate(
    run: Run, name: str, other: Dataset | None, overrides: Mapping[str, Any], no_text: bool, progress: Progress
) -> Scores:
    evaluated, contents = evaluation.evaluate_run(run, name, other, overrides, progress)
    contents |= reports.files(run, evaluated, no_text=no_text)
    runfolder.add(run.path, run.manifest, contents)
    return evaluated.scores


def evaluate_predictions(
    predictions: str | Path,
    gold: str | Path,
    task: str,
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    evaluation_plan: config.EvaluationConfig | None = None,
    to: str | Path | None = None,
    no_text: bool = False,
    progress: Progress = _silent,
) -> Scores:
    """Score a predictions file of any tool against gold; `to` names a folder for scores and report.

    With `no_text` the report shows no sentence.
    """
    dataset = load_module.load(gold, format=format, options=options or {})
    plan = evaluation_plan or config.EvaluationConfig()
    found = evaluation.evaluate_file(Path(predictions), dataset, task, plan, progress)
    if to is not None:
        scores = (dump_json(found.scores.to_json(), indent=1) + "\n").encode()
        drawn = reports.files_of_predictions(str(predictions), found, no_text=no_text)
        contents = {"scores.json": scores, **drawn}
        _write(contents, Path(to))
    return found.scores


def predict(
    run: str | Path | Run,
    data: str | Path | Sequence[Any],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    trust_code: bool = False,
) -> Predictions:
    """Predict a file, a text or a list of inputs with a run."""
    loaded = run if isinstance(run, Run) else load_run(run, trust_code=trust_code)
    if isinstance(data, str | Path):
        return loaded.predict(read_inputs(Path(data), format, options))
    return loaded.predict(data)


def read_inputs(path: Path, format: str | None = None, options: Mapping[str, Any] | None = None) -> Dataset:
    """Read sentences to predict or tag: a raw `.txt` article is split, any other file is read in its format.

    Targets need no label there: they are those to be judged.
    """
    if format is None and path.suffix == ".txt":
        found = split(read_text(path), path.stem)
        if not found:
            raise fail(path, "there is no sentence in it", "give some text")
        return Dataset(path.stem, tuple(found), codebooks.default(), path)
    return load_module.load(path, format=format, options=options or {}, asked=True)


def compare(
    runs: Sequence[str | Path | Run],
    *,
    part: str = "test",
    resamples: int = 10_000,
    seed: int = 13,
    to: str | Path | None = None,
) -> Comparison:
    """Compare runs with the first, paired by example: differences, intervals and p-values over the same groups.

    A run of another task is seen as the first one's where that is derived from its answers: `frames` from devices,
    `voice` from attributions, any layer from layers. A predictions file of any tool may stand for a run, but not
    for the first. `to` names a folder for the comparison as HTML, Markdown, TeX and JSON.
    """
    if len(runs) < 2:
        raise fail("compare", "one run cannot be compared", "give two or more")
    found = comparison.compare(runs, part, resamples=resamples, seed=seed)
    if to is not None:
        _write(reports.comparison_files(found), Path(to))
    return found


def _write(contents: Mapping[str, bytes], folder: Path) -> list[Path]:
    for name, content in contents.items():
        write_bytes(make_folder(folder) / name, content)
    return [folder / name for name in contents]


def report(
    run: str | Path | Run, *, part: str = "test", to: str | Path | None = None, no_text: bool = False
) -> list[Path]:
    """Draw the report of an evaluated run anew from its files, without the model; return the files written.

    With `no_text` no sentence stands in it, so that it can be shown where the texts must not be.
    """
    loaded = run if isinstance(run, Run) else load_run(run)
    if to is None:
        loaded.expect_own()
    evaluated = evaluation.stored(loaded, part)
    evaluated = replace(evaluated, part=evaluation.exposed(loaded, evaluated.part)[0])
    contents = reports.files(loaded, evaluated, no_text=no_text)
    if to is None:
        runfolder.add(loaded.path, loaded.manifest, contents)
        return [loaded.path / name for name in contents]
    return _write(contents, Path(to))


def tag(
    source: str | Path,
    *,
    attribution: str | Path | None = None,
    framing: str | Path | None = None,
    stance: str | Path | None = None,
    sentiment: str | Path | None = None,
    actors: str | Path | None = None,
    runs: str | Path = DEFAULT,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    trust_code: bool = False,
    say: Say = _silent,
) -> TaggedArticle:
    """Tag a file: a raw article, or sentences in any format, which keep their ids.

    Runs that are not named are chosen below `runs` by their scores on dev; `say` hears which run answers what.
    """
    tagger = Tagger.load(attribution, framing, stance, actors, sentiment=sentiment, runs=runs, trust_code=trust_code)
    for line in tagger.told:
        say(line)
    return tagger(read_inputs(Path(source), format, options))


def convert(
    source: str | Path,
    target: str | Path,
    *,
    format: str | None = None,
    to: str | None = None,
    options: Mapping[str, Any] | None = None,
    to_options: Mapping[str, Any] | None = None,
    on_error: Literal["stop", "skip"] = "stop",
) -> Converted:
    """Convert between formats; return what was left out in reading and what the new one could not hold, by kind."""
    spare([source], target)
    dataset = load_module.load(source, format=format, options=options or {}, on_error=on_error)
    lost = load_module.save(dataset.sentences, target, format=to, options=to_options or {}, codebook=dataset.codebook)
    return Converted(Path(target), len(dataset), dataset.left_out, lost)
