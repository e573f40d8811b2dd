"""Predictions as files: `{"id", "answer", "probabilities"}` a line, ours or any other tool's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from stancekit.data import record
from stancekit.errors import Problems
from stancekit.files import parse_json, read_json, read_text
from stancekit.schema import Prediction

if TYPE_CHECKING:
    import pandas as pd


Probabilities = dict[str, float] | tuple[float, ...] | None


class Predictions(Sequence[Prediction]):
    """Predictions in order; they print as a table and turn into a data frame."""

    def __init__(self, items: Iterable[Prediction], texts: Mapping[str, str] | None = None) -> None:
        self.items = tuple(items)
        self.texts = dict(texts or {})

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Prediction]: ...
    def __getitem__(self, index: int | slice) -> Prediction | Sequence[Prediction]:
        """Return one prediction, or a slice of them."""
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.items)

    def __repr__(self) -> str:
        rows = [f"{p.id}\t{_short(record.dump_answer(p.answer))}" for p in self.items[:10]]
        more = [f"… {len(self) - 10} more"] if len(self) > 10 else []
        return "\n".join([f"{len(self)} predictions", *rows, *more])

    def _repr_html_(self) -> str:
        return str(self.to_frame().head(20).to_html(index=False, escape=True))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a prediction: id, text where known, answer, and a column a probability."""
        import pandas as pd

        return pd.DataFrame([self._row(p) for p in self.items])

    def _row(self, prediction: Prediction) -> dict[str, Any]:
        row: dict[str, Any] = {"id": prediction.id}
        if prediction.id in self.texts:
            row["text"] = self.texts[prediction.id]
        row["answer"] = record.dump_answer(prediction.answer)
        if isinstance(prediction.probabilities, Mapping):
            row |= {f"p({label})": p for label, p in prediction.probabilities.items()}
        elif prediction.probabilities is not None:
            row["confidence"] = list(prediction.probabilities)
        return row


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 100 else text[:97] + "…"


def dump(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as a JSON object; probabilities are rounded to 9 digits."""
    p = prediction.probabilities
    numbers: Any = None
    if isinstance(p, Mapping):
        numbers = {label: round(float(value), 9) for label, value in p.items()}
    elif p is not None:
        numbers = [round(float(value), 9) for value in p]
    return {"id": prediction.id, "answer": record.dump_answer(prediction.answer), "probabilities": numbers}


def about(path: Path) -> Path:
    """Return the path of what is known of a predictions file: `NAME.meta.json` beside it."""
    return path.with_name(f"{path.stem}.meta.json")


def provenance(path: Path) -> dict[str, str]:
    """Return model, date and prompt hash of a predictions file, where they are known."""
    beside = about(path)
    if not beside.exists():
        return {}
    known = read_json(beside)
    return {key: str(known[key]) for key in ("model", "date", "prompt") if key in known}


def read(path: Path, kind: str, texts: Mapping[str, str]) -> list[Prediction]:
    """Read a predictions file of a task's kind.

    `texts` maps example ids to their sentence's text, which offsets are checked against; ids that it
    does not know are reported when predictions are joined to gold.
    """
    problems, found = Problems(), []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        with problems.catching(where):
            prediction = _read_one(parse_json(line, path, number), kind, texts, where, problems)
            if prediction is not None:
                found.append(prediction)
    problems.raise_any()
    return found


def _read_one(raw: Any, kind: str, texts: Mapping[str, str], where: str, problems: Problems) -> Prediction | None:
    if not isinstance(raw, dict) or "id" not in raw or "answer" not in raw:
        problems.add(where, "a prediction needs `id` and `answer`", 'write {"id": …, "answer": …, "probabilities": …}')
        return None
    reader = record.Reader(where, problems)
    reader.text = texts.get(str(raw["id"]), "")
    if not reader.text:
        problems.add(where, f"there is no example {raw['id']!r} in the gold data", "predict exactly the gold examples")
        return None
    answer = reader.answer(kind, raw["answer"])
    if answer is None:
        return None
    return Prediction(id=str(raw["id"]), answer=answer, probabilities=_probabilities(raw, where, problems))


def _probabilities(
    raw: Mapping[str, Any], where: str, problems: Problems
) -> dict[str, float] | tuple[float, ...] | None:
    given = raw.get("probabilities")
    if given is None:
        return None
    values = list(given.values()) if isinstance(given, dict) else given
    if not isinstance(values, list) or not all(isinstance(v, int | float) and 0 <= v <= 1 for v in values):
        problems.add(where, "`probabilities` must be numbers from 0 to 1", "give {label: p} or [p, …], or null")
        return None
    return {str(k): float(v) for k, v in given.items()} if isinstance(given, dict) else tuple(map(float, values))
