"""What tests of several files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tiny import Encoders


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Encoders:
    """Folders of tiny random encoders by architecture."""
    from tiny import Encoders

    return Encoders(tmp_path_factory.mktemp("encoders"))
