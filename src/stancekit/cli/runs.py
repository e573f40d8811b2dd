"""Commands on runs: train, evaluate, predict, compare, report, tag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from stancekit.cli import show
from stancekit.cli.app import Format, Json, Options, Overrides, Quiet, RunFolder, Trust, app, options_of

NoText = Annotated[bool, typer.Option("--no-text", help="Show no sentence in the report.")]


@app.command()
def train(
    source: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="An experiment file, or a bundled one by name.")],
    overrides: Overrides = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Swap an earlier run when the new one is finished.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Start an unfinished (or finished) run anew.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an experiment into a run folder."""
    from stancekit import experiment
    from stancekit.training.fitting import is_helper_process

    helper = is_helper_process()
    mode = "restart" if restart else "resume" if resume else "replace" if replace else "new"
    with show.Progress(quiet or as_json or helper) as progress:
        found = experiment.train(source, overrides or (), mode=mode, say=progress.say, progress=progress)
    if not helper:
        show.trained(found if isinstance(found, tuple) else (found,), as_json)


@app.command()
def evaluate(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or a predictions file with --gold.")],
    part: Annotated[
        str | None, typer.Option(help="The held-out part to score [test], or a name for --data [that of the file].")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Score another data set than the run's own.")] = None,
    gold: Annotated[str | None, typer.Option(help="Gold data for a predictions file of any tool.")] = None,
    task: Annotated[str | None, typer.Option(help="The task of a predictions file.")] = None,
    to: Annotated[Path | None, typer.Option(help="Where scores and report of a predictions file go.")] = None,
    groups: Annotated[list[str] | None, typer.Option(help="Resample these groups (document, event, …).")] = None,
    slices: Annotated[list[str] | None, typer.Option(help="Score each value of these columns apart.")] = None,
    resamples: Annotated[int | None, typer.Option(help="Bootstrap resamples.", min=100)] = None,
    ceiling: Annotated[str | None, typer.Option(help="A file of `agree`: the human ceiling.")] = None,
    format: Format = None,
    option: Options = None,
    no_text: NoText = False,
    trust_code: Trust = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run on held-out data with 95 % intervals, and write its report; or score a predictions file."""
    from stancekit import experiment
    from stancekit.config import EvaluationConfig, amended
    from stancekit.runs.otherdata import part_name

    given = {"groups": groups, "slices": slices, "resamples": resamples, "ceiling": ceiling}
    changes = {key: value for key, value in given.items() if value}
    with show.Progress(quiet or as_json) as progress:
        if gold is not None or task is not None or source.is_file():
            plan = amended(EvaluationConfig(), changes)
            scores: Any = experiment.evaluate_predictions(
                source,
                *_against(source, gold, task),
                format=format,
                options=options_of(option),
                evaluation_plan=plan,
                to=to,
                no_text=no_text,
                progress=progress,
            )
        else:
            scores = experiment.evaluate(
                source,
                part=part,
                data=data,
                format=format,
                options=options_of(option),
                overrides=changes,
                trust_code=trust_code,
                no_text=no_text,
                progress=progress,
            )
    show.scores(scores, as_json)
    page = source / f"report.{part_name(part, data)}.html"
    if not as_json and page.exists():
        show.line(f"report: {page}")


def _against(predictions: Path, gold: str | None, task: str | None) -> tuple[str, str]:
    """Return the gold and task of a predictions file; refuse one that is none, or that comes without them."""
    from stancekit.errors import fail

    if predictions.is_dir():
        hint = "name the file, or leave --gold and --task out to score a run (--data FILE scores it on other data)"
        raise fail(predictions, "--gold and --task are for a predictions file, and this is a folder", hint)
    if not predictions.exists():
        raise fail(predictions, "there is no such file", "check the path of the predictions")
    if gold is None or task is None:
        raise fail(predictions, "a predictions file needs gold and a task", "give --gold FILE --task NAME")
    return gold, task


@app.command()
def predict(
    run: RunFolder,
    data: Annotated[Path, typer.Argument(help="Sentences to predict, or a raw .txt article.")],
    answers: Annotated[bool, typer.Option("--answers", help="Print a predictions file, not native records.")] = False,
    format: Format = None,
    option: Options = None,
    trust_code: Trust = False,
) -> None:
    """Print predictions, one native record a line (or one `{id, answer, probabilities}` with --answers)."""
    from stancekit import experiment
    from stancekit.data import predictions as predictions_file
    from stancekit.runs.run import load

    loaded = load(run, trust_code=trust_code)
    sentences = experiment.read_inputs(data, format, options_of(option))
    found = loaded.predict(sentences)
    rows = [predictions_file.dump(p) for p in found] if answers else loaded.records(sentences, found)
    for row in rows:
        show.raw(json.dumps(row, ensure_ascii=False))


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Two or more run folders (or, after the first, predictions files).")
    ],
    part: Annotated[str, typer.Option(help="The evaluated part.")] = "test",
    to: Annotated[Path | None, typer.Option(help="Write the comparison as HTML, Markdown, TeX and JSON here.")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=100)] = 10_000,
    as_json: Json = False,
) -> None:
    """Compare runs with the first, paired by example; one of a richer task is seen as the first one's task."""
    from stancekit import experiment

    show.compared(experiment.compare(runs, part=part, resamples=resamples, to=to), as_json)


@app.command()
def report(
    run: RunFolder,
    part: Annotated[str, typer.Option(help="The evaluated part.")] = "test",
    to: Annotated[Path | None, typer.Option(help="Write here instead of into the run folder.")] = None,
    no_text: NoText = False,
    as_json: Json = False,
) -> None:
    """Draw the report of an evaluated run anew from its files, without the model."""
    from stancekit import experiment

    written = experiment.report(run, part=part, to=to, no_text=no_text)
    if as_json:
        show.raw(json.dumps([str(path) for path in written], ensure_ascii=False))
        return
    for path in written:
        show.line(str(path))


@app.command()
def tag(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A raw .txt article, or sentences in any format.")],
    attribution: Annotated[Path | None, typer.Option(help="An attribution run, or one of all layers.")] = None,
    framing: Annotated[Path | None, typer.Option(help="A framing run (task: devices), or one of all layers.")] = None,
    stance: Annotated[Path | None, typer.Option(help="A stance run, or one of all layers.")] = None,
    sentiment: Annotated[
        Path | None, typer.Option(help="A run of sentiment toward targets, or one of all layers.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Choose the others here, by score on dev [runs/demo].")] = None,
    actors: Annotated[Path | None, typer.Option(help="actors.yaml: names, aliases, sides.")] = None,
    format: Format = None,
    option: Options = None,
    as_json: Json = False,
    html: Annotated[bool, typer.Option("--html", help="Print one HTML page (not with --json).")] = False,
    trust_code: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Tag an article: who says it, how it is framed, and whose frame it is; tells on stderr which run says so."""
    from stancekit import experiment, tagger
    from stancekit.errors import fail

    if as_json and html:
        raise fail("tag", "--json and --html both print to standard output", "ask for one at a time")
    named = {"attribution": attribution, "framing": framing, "stance": stance, "sentiment": sentiment}
    say = show.nothing if quiet else show.aside
    found = experiment.tag(
        source,
        **named,
        actors=actors,
        runs=runs or tagger.DEFAULT,
        format=format,
        options=options_of(option),
        trust_code=trust_code,
        say=say,
    )
    if as_json:
        for row in found.records():
            show.raw(json.dumps(row, ensure_ascii=False))
    elif html:
        from stancekit.reports import article_page

        show.raw(article_page(found, title=source.name))
    else:
        show.tagged(found)
