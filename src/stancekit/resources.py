"""Where the bundled data and experiments lie: in an installed wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from stancekit.errors import fail

_PACKAGE = Path(__file__).parent


def bundled(name: str) -> Path:
    """Return the path of a bundled file or folder, such as `data/dispatches` or `experiments`."""
    for root in (_PACKAGE / "bundled", _PACKAGE.parent.parent):
        if (root / name).exists():
            return root / name
    raise fail(name, "this file is not bundled with stancekit", "check its name, or install stancekit again")
