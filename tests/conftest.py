"""What tests of several files share."""

from __future__ import annotations

import os
import signal

# Two workers with two threads each would wait for each other more than they compute; commands inherit this.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell lets background jobs ignore Ctrl-C, and all that they start; tests that send it would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tiny import Encoders


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Encoders:
    """Folders of tiny random encoders by architecture."""
    from tiny import Encoders

    return Encoders(tmp_path_factory.mktemp("encoders"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what encoders compute away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
