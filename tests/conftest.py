"""One rig per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from molecule_mcp import embedded
from tests.road.rig import Clock, Counted, Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A steady embedded tenant in memory, and a state folder of its own."""
    app = embedded.build(embedded.Options(agents=False, rate_limit=None))
    yield Rig(tmp_path, app, Counted(app), Clock())
    app.close()
