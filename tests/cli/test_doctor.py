"""What a check of an install says of a key that the tenant does not take."""

from tests.road.rig import ORIGIN, Rig

from molecule_mcp.cli import doctor
from molecule_mcp.tenant import Permit, Tenant, Wire


async def test_a_key_that_is_not_taken_is_told_with_where_another_is_made(rig: Rig) -> None:
    wire = Wire(ORIGIN, "x" * 43, transport=rig.transport)
    found = await doctor.credential(Tenant(wire, Permit(routes=doctor.ROUTES)))
    assert found.state == "fail"
    assert "Who holds a key makes another (docs/organization-keys.md)" in found.text
