"""What is shipped is what was measured: experiments on public data have the settings of the benchmarks' rows."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from stancekit import components, yamlfile

ROOT = Path(__file__).parent.parent
MEASURED = {  # experiment: benchmark, row, and what its command line sets
    "newsmtsc-transformer": ("neural_newsmtsc", "all of train", {}),
    "tweeteval-stance-transformer": ("neural_tweeteval", "transformer", {}),
    "babe-transformer": ("neural_babe", "transformer", {}),
    "ptc-spans": ("neural_ptc", "spans", {"training": {"epochs": 3}}),
    "demo-joint": ("neural_dispatches", "joint", {}),
    "polnear-joint": ("neural_polnear", "joint", {"training": {"epochs": 4}}),
}


def built(own: dict[str, Any]) -> dict[str, Any]:
    return vars(components.build("model", own["name"], {k: v for k, v in own.items() if k != "name"}))


@pytest.mark.parametrize("name", MEASURED)
def test_an_experiment_has_the_settings_that_were_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script, row, given = MEASURED[name]
    path = ROOT / "experiments" / f"{name}.yaml"
    shipped = yamlfile.parse(path.read_text(encoding="utf-8"), path).value["model"]
    assert built(shipped) == built({**importlib.import_module(script).ROWS[row], **given})
