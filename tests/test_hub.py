"""Runs on a hub: nothing of the texts goes out, what comes back is checked, and every mistake says what to do."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import stancekit
from stancekit import StancekitError, experiment, hub, publishing
from stancekit.data.load import load
from stancekit.runs import runfolder
from stancekit.training import staging

ROOT = Path(__file__).parent.parent
CSV = ROOT / "examples" / "headlines.csv"
TEXTS = ["Savage invaders burn our sacred village", "Council meets on Monday"]


def train(folder: Path, *overrides: str, name: str = "own-csv", data: bool = True) -> Any:
    settings = [f"output={folder}", "evaluation.resamples=200", *([f"data.path={CSV}"] if data else []), *overrides]
    return experiment.train(name, settings)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    experiment.evaluate(train(folder))
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv(hub.FOLDER, str(tmp_path / "shared"))
    return tmp_path / "shared"


def problem(function: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(StancekitError) as caught:
        function(*arguments, **options)
    assert all(p.hint for p in caught.value.problems)
    return str(caught.value)


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def add(run: Path, **files: str) -> None:
    contents = {name.replace("__", "."): text.encode() for name, text in files.items()}
    runfolder.add(run, runfolder.read_manifest(run), contents)


# --- a shared folder as hub


def test_there_and_back(finished: Path, shared: Path, tmp_path: Path) -> None:
    pushed = stancekit.push(finished, "team/headlines")
    assert pushed.place == str(shared / "team" / "headlines") and "README.md" in pushed.files
    own, fetched = stancekit.load(finished), stancekit.load("hf://team/headlines")
    assert list(fetched.predict(TEXTS)) == list(own.predict(TEXTS))
    assert "hf://team/headlines: label by linear" in repr(fetched) and "accuracy" in repr(fetched)
    assert stancekit.load(Path("hf://team/headlines")).origin == "hf://team/headlines"  # a Path makes hf:/ of it
    assert "stancekit pull" in problem(stancekit.evaluate, "hf://team/headlines", data=str(CSV))
    pulled = stancekit.pull("team/headlines", tmp_path / "pulled")
    assert stancekit.evaluate(pulled, data=str(CSV), part="mine").find("accuracy").support == 60
    again = stancekit.push(finished, "team/headlines", dry_run=True, to=tmp_path / "dry")
    assert again.files == pushed.files and not again.place
    for name in pushed.files:
        assert (tmp_path / "dry" / name).read_bytes() == (shared / "team" / "headlines" / name).read_bytes()
    runfolder.verify(tmp_path / "dry", runfolder.read_manifest(tmp_path / "dry"))


def test_revisions_stand_beside_each_other(run: Path, shared: Path) -> None:
    stancekit.push(run, "team/x")
    train(run.parent / "other", "model.C=7")
    told = problem(stancekit.push, run.parent / "other", "team/x")
    assert "another run stands there" in told
    stancekit.push(run.parent / "other", "team/x", revision="v2")
    assert stancekit.load("hf://team/x@v2").experiment.settings == {"C": 7}
    assert stancekit.load("hf://team/x").experiment.settings == {}
    stancekit.push(run.parent / "other", "team/x", replace=True)
    assert stancekit.load("hf://team/x").experiment.settings == {"C": 7}
    assert sorted(p.name for p in (shared / "team").iterdir()) == ["x", "x@v2"]


def test_what_was_damaged_on_the_way_is_refused(finished: Path, shared: Path, tmp_path: Path) -> None:
    stancekit.push(finished, "team/x")
    weights = shared / "team" / "x" / "model" / "linear.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert "damaged" in problem(stancekit.load("hf://team/x").predict, TEXTS)
    assert "damaged" in problem(stancekit.pull, "team/x", tmp_path / "pulled")
    (weights.parent / "evil.pkl").write_bytes(b"x")
    assert "a pickle is never opened" in problem(stancekit.load("hf://team/x").predict, TEXTS)


def test_names_of_a_strangers_manifest_lead_nowhere_else(finished: Path, shared: Path, tmp_path: Path) -> None:
    stancekit.push(finished, "team/x")
    manifest = shared / "team" / "x" / "manifest.json"
    value = json.loads(manifest.read_text())
    (shared / "secret.txt").write_text("mine")
    value["files"]["../../secret.txt"] = runfolder.hashes(shared, ["secret.txt"])["secret.txt"]
    manifest.write_text(json.dumps(value))
    stancekit.pull("team/x", tmp_path / "a" / "b" / "pulled")
    assert not list((tmp_path / "a").rglob("secret.txt"))


# --- what goes out


def test_no_sentence_and_no_path_goes_out(finished: Path, tmp_path: Path) -> None:
    pushed = stancekit.push(finished, "team/x", dry_run=True, to=tmp_path / "out")
    kept = stancekit.push(finished, "team/x", dry_run=True, with_reports=True, to=tmp_path / "kept")
    assert list(pushed.left_out) == ["report.test.*"] and not kept.left_out
    assert pushed.words == {"profile.json": 1, "model/linear.json": 2}
    texts = [words(s.text) for s in load(CSV, format="csv", options={"text": "text", "label": "label"})]

    def leaks(folder: Path) -> bool:
        content = words(" ".join(p.read_text(encoding="utf-8", errors="replace") for p in folder.rglob("*.*")))
        return any(" ".join(text.split()[k : k + 4]) in content for text in texts for k in range(len(text.split()) - 3))

    assert not leaks(tmp_path / "out") and leaks(tmp_path / "kept")
    for file in (tmp_path / "out").rglob("*.*"):
        content = file.read_bytes().decode(errors="replace")
        assert str(ROOT) not in content and str(finished.parent) not in content, file
    assert yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())["data"]["path"] == "…/headlines.csv"
    assert (tmp_path / "out" / "report.test.html").stat().st_size > 1000


def test_text_in_other_places_stays_at_home(run: Path, tmp_path: Path) -> None:
    holder = {"id": "a", "answer": {"devices": [{"frame": "blame", "holder": {"source_text": "the old mayor"}}]}}
    long_id = {"id": "The mayor of Karsk waved at all of them twice", "answer": "plain"}
    row = json.dumps
    add(run, predictions__h__jsonl=row(holder), predictions__l__jsonl=row(long_id), notes__txt="x", report__old__md="x")
    pushed = stancekit.push(run, "team/x", dry_run=True, to=tmp_path / "out")
    assert sorted(pushed.left_out) == [
        "notes.txt",
        "predictions.h.jsonl",
        "predictions.l.jsonl",
        "report.old.md",
        "report.test.*",
    ]
    assert not {"notes.txt", "predictions.l.jsonl", "report.old.md"} & pushed.files.keys()
    (sent,) = (tmp_path / "out" / "predictions.h.jsonl").read_text().splitlines()
    assert json.loads(sent)["answer"]["devices"] == [{"frame": "blame", "holder": {}}]


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        ("/home/me/encoder", "…/encoder"),
        ("C:\\work\\encoder", "…/encoder"),
        ("~/encoder", "…/encoder"),
        ("data/codebook.yaml", "…/codebook.yaml"),  # stands in this folder
        ("dispatches", "dispatches"),
        ("user/encoder", "user/encoder"),
        ("hf://user/run", "hf://user/run"),
        ({"a": ["/x/y", 2]}, {"a": ["…/y", 2]}),
    ],
)
def test_paths_of_this_machine_are_cut(value: Any, cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert staging.portable(value) == cut


def test_a_model_that_needs_local_files_stays(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for role in ("attribution", "framing"):
        train(Path(role), "model=majority", name=f"demo-{role}", data=False)
        stancekit.push(role, f"team/{role}")
    local = [f"model.{role}={tmp_path / role}" for role in ("attribution", "framing")]
    train(tmp_path / "joined", *local, name="demo-holder", data=False)
    told = problem(stancekit.push, tmp_path / "joined", "team/joined")
    assert "needs files of this machine: attribution=" in told
    remote = [f"model.{role}=hf://team/{role}" for role in ("attribution", "framing")]
    train(tmp_path / "remote", *remote, name="demo-holder", data=False)
    stancekit.push(tmp_path / "remote", "team/joined")
    (answer,) = stancekit.load("hf://team/joined").predict("The town was liberated.")
    assert answer.answer.devices == ()


# --- the card


def test_the_card_is_filled_from_the_run(run: Path, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    stancekit.push(run, "team/x", license="apache-2.0", dry_run=True, to=tmp_path / "out")
    card = ModelCard((tmp_path / "out" / "README.md").read_text(encoding="utf-8"))
    scores = {r["metric"]: r for r in json.loads((run / "scores.test.json").read_text())["rows"] if not r["label"]}
    front = card.data.to_dict()
    assert front["license"] == "apache-2.0" and front["library_name"] == "stancekit" and front["language"] == "en"
    assert front["pipeline_tag"] == "text-classification" and {"stancekit", "label", "linear"} <= set(front["tags"])
    found = {(r.metric_name, r.metric_value, tuple(r.metric_args["interval"])) for r in card.data.eval_results}
    first = scores["accuracy"]
    assert ("accuracy", round(first["value"], 4), (round(first["low"], 4), round(first["high"], 4))) in found
    assert {r.dataset_name for r in card.data.eval_results} == {"headlines.csv"}
    signature = json.loads((run / "scores.test.json").read_text())["signature_line"]
    assert f"`{signature}`" in card.text and f"| {first['value']:.3f} | {first['low']:.3f} to" in card.text
    assert 'stancekit.load("hf://team/x")' in card.text and "AutoModel" not in card.text
    assert "Measured on the test part of headlines.csv only (15 examples)" in card.text
    assert runfolder.read_manifest(run)["data"]["hash"] in card.text


def test_the_card_of_a_known_data_set_and_of_one_seed_of_several(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"id": "a", "text": "He waved.", "document": "a", "attributions": []}')
    also = f"data.also=[{tmp_path / 'mine.jsonl'}]"
    train(tmp_path / "run", "model=majority", "seeds=[1, 2]", also, name="voice-linear", data=False)
    experiment.evaluate(tmp_path / "run")
    told = problem(stancekit.push, tmp_path / "run", "team/x")
    assert "one a seed" in told and "seed-1" in told
    stancekit.push(tmp_path / "run" / "seed-2", "team/x", dry_run=True, to=tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    mean = json.loads((tmp_path / "run" / "summary.test.json").read_text())["rows"][0]["mean"]
    assert "This is seed 2, one of 2 (1, 2)." in card and f"{mean:.3f} ± 0.000" in card
    assert "CC BY 4.0" in card and "written by a language model" in card and "Not good for: claims" in card
    assert re.search(r"^- \*\*indirect\*\*: \w+", card, re.MULTILINE)  # the codebook's definition
    assert "license: unknown" in card and "For train only: mine.jsonl." in card


def test_a_run_without_scores_says_so(tmp_path: Path) -> None:
    train(tmp_path / "run")
    stancekit.push(tmp_path / "run", "team/x", dry_run=True, to=tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "nothing is known of how good it is" in card and "model-index" not in card


def test_the_hubs_own_loader_opens_the_model(run: Path, shared: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertForSequenceClassification(config).save_pretrained(run.parent / "bert")
    files = {f"model/{p.name}": p.read_bytes() for p in (run.parent / "bert").iterdir()}
    runfolder.add(run, runfolder.read_manifest(run), files)
    pushed = stancekit.push(run, "team/bert")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(pushed.place, subfolder="model")
    assert model.config.hidden_size == 8
    card = (shared / "team" / "bert" / "README.md").read_text(encoding="utf-8")
    assert 'AutoModelForSequenceClassification.from_pretrained("team/bert", subfolder="model")' in card


# --- mistakes


@pytest.mark.parametrize("name", ["x", "a/../b", "a/b/c", "hf:///etc/passwd", "a/b@", "a/b@../c", "a/.b", "a/b--c", ""])
def test_what_is_no_repository(name: str) -> None:
    assert "this is no repository" in problem(hub.parse, name)


def test_mistakes_of_push(run: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push = stancekit.push
    assert "there is no run here" in problem(push, tmp_path / "nothing", "team/x")
    assert "only a dry run" in problem(push, run, "team/x", to=tmp_path / "out")
    assert "apache-2.0" in problem(push, run, "team/x", license="Apache 2.0")
    assert "no private repositories" in problem(push, run, "team/x", private=True)
    assert "something here already" in problem(push, run, "team/x", dry_run=True, to=tmp_path)
    (shared / "team" / "other").mkdir(parents=True)
    (shared / "team" / "other" / "model.txt").write_text("not ours")
    assert "holds no run of stancekit" in problem(push, run, "team/other")
    (run / "profile.json").write_text("{}")
    assert "profile.json" in problem(push, run, "team/x")
    assert not (shared / "team" / "x").exists()
    monkeypatch.setenv(hub.FOLDER, str(tmp_path / "unmounted"))
    assert "is not there" in problem(push, run, "team/x")


def test_mistakes_of_load(finished: Path, shared: Path) -> None:
    stancekit.push(finished, "team/headlines")
    assert "did you mean 'team/headlines'" in problem(stancekit.load, "hf://team/headlnes")
    assert "there is no such repository" in problem(stancekit.load, "hf://team/headlines@v9")
    (shared / "team" / "other").mkdir()
    assert "holds no run of stancekit" in problem(stancekit.load, "hf://team/other")


# --- the Hugging Face hub, with its library replaced


class FakeApi:
    """Notes what it is asked, and keeps repositories as folders."""

    endpoint = "https://hub.example"

    def __init__(self, root: Path) -> None:
        self.root, self.calls, self.private = root, {}, {}

    def _at(self, name: str) -> Path:
        if not (self.root / name).is_dir():
            raise theirs_error("RepositoryNotFoundError", 404)
        return self.root / name

    def list_repo_files(self, name: str, *, revision: str | None = None) -> list[str]:
        return [p.relative_to(self._at(name)).as_posix() for p in self._at(name).rglob("*") if p.is_file()]

    def hf_hub_download(self, name: str, file: str, *, revision: str | None = None) -> str:
        return str(self._at(name) / file)

    def create_repo(self, name: str, *, private: bool | None, exist_ok: bool) -> None:
        assert exist_ok
        (self.root / name).mkdir(parents=True, exist_ok=True)
        self.private.setdefault(name, bool(private))

    def repo_info(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(private=self.private[name])

    def create_branch(self, name: str, **options: Any) -> None:
        self.calls["create_branch"] = options

    def upload_folder(self, *, repo_id: str, folder_path: Path, **options: Any) -> None:
        self.calls["upload_folder"] = options
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)

    def snapshot_download(self, name: str, **options: Any) -> str:
        self.calls["snapshot_download"] = options
        return str(self._at(name))


def theirs_error(name: str, status: int) -> Exception:
    from huggingface_hub import errors

    kind = getattr(errors, name)
    try:
        response = SimpleNamespace(status_code=status, headers={}, request=None, url="")
        return kind("no", response=response)
    except TypeError:  # an error without a response
        return kind("no")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    from stancekit.hub import huggingface

    fake = FakeApi(tmp_path / "remote")
    monkeypatch.delenv(hub.FOLDER, raising=False)
    monkeypatch.setattr(huggingface, "HfApi", lambda **_: fake)
    return fake


def test_the_hub_is_asked_rightly(finished: Path, api: FakeApi) -> None:
    pushed = stancekit.push(finished, "team/x", revision="v1", private=True)
    assert pushed.place == "https://hub.example/team/x/tree/v1" and api.private == {"team/x": True}
    assert api.calls["create_branch"] == {"branch": "v1", "exist_ok": True}
    sent = api.calls["upload_folder"]
    assert sent["revision"] == "v1" and sent["delete_patterns"] == ["model/*"]
    assert sent["commit_message"] == "own-csv: label by linear"
    assert [p.answer for p in stancekit.load("hf://team/x@v1").predict(TEXTS)] == ["loaded", "plain"]
    asked = api.calls["snapshot_download"]
    assert asked["revision"] == "v1" and "*.safetensors" in asked["allow_patterns"]
    assert not {"*.pkl", "*.bin", "*.pt", "*.py", "*"} & set(asked["allow_patterns"])
    stancekit.push(finished, "team/x")  # the same model: an update, by which files that are gone are deleted
    assert "scores.test.json" in api.calls["upload_folder"]["delete_patterns"]


def test_nothing_private_lands_in_a_public_repository(finished: Path, api: FakeApi) -> None:
    api.create_repo("team/x", private=False, exist_ok=True)
    assert "there already, and public" in problem(stancekit.push, finished, "team/x", private=True)
    assert not list((api.root / "team" / "x").iterdir())


ERRORS = [
    ("RepositoryNotFoundError", 404, "there is no such repository"),
    ("GatedRepoError", 403, "granted on request"),
    ("RevisionNotFoundError", 404, "there is no such revision"),
    ("LocalEntryNotFoundError", 0, "cannot be reached"),
    ("OfflineModeIsEnabled", 0, "cannot be reached"),
    ("LocalTokenNotFoundError", 0, "not logged in"),
    ("HFValidationError", 0, "no name of a repository"),
    ("HfHubHTTPError", 403, "does not let you"),
    ("HfHubHTTPError", 503, "status 503"),
    ("HTTPError", 0, "cannot be reached"),
    ("CorruptedCacheException", 0, "library failed"),
]


@pytest.mark.parametrize(("name", "status", "message"), ERRORS, ids=[f"{n}-{s}" for n, s, _ in ERRORS])
def test_errors_of_the_hub_say_what_to_do(name: str, status: int, message: str, api: FakeApi) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise theirs_error(name, status)

    api.snapshot_download = fails  # type: ignore[method-assign]
    assert message in problem(stancekit.load, "hf://team/x")


def test_the_real_librarys_methods_take_what_we_give() -> None:
    import inspect

    from huggingface_hub import HfApi

    for name in ("list_repo_files", "hf_hub_download", "create_repo", "repo_info", "create_branch", "upload_folder"):
        fake = set(inspect.signature(getattr(FakeApi, name)).parameters) - {"self", "name", "file", "options"}
        assert fake <= set(inspect.signature(getattr(HfApi, name)).parameters), name
    asked = {"revision", "allow_patterns"}
    assert asked <= set(inspect.signature(HfApi.snapshot_download).parameters)
    sent = {"repo_id", "folder_path", "revision", "commit_message", "delete_patterns"}
    assert sent <= set(inspect.signature(HfApi.upload_folder).parameters)


def test_repr_tells_where_it_went() -> None:
    assert "nothing was sent" in repr(publishing.Pushed("hf://a/b", "", {"x": 10}, {}, {}))
