"""A hosted tenant, for what only differs there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.road.rig import ORIGIN, Clock, Counted, Rig

from molecule_mcp import embedded
from molecule_mcp.road.calls import Road
from molecule_mcp.tenant import Wire

ORGANIZATION = "org-1"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Road]:
    """A road to a hosted tenant with the sample organization."""
    app = embedded.build(embedded.Options(agents=False, rate_limit=None, org_id=ORGANIZATION))
    rig = Rig(tmp_path, app, Counted(app), Clock())
    wire = Wire(ORIGIN, app.mint_org_key("test"), org_id=ORGANIZATION, transport=rig.transport)
    yield rig.road(wire=lambda: wire)
    app.close()
