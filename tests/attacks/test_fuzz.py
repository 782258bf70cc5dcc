"""A small run of the generated calls, and the check that judges them."""

import pytest

from molecule_mcp.prepared import entries
from tests.attacks.fuzz import fuzzed, strays

ID, OTHER = "28f5febc-a42c-4eb1-abd6-eb7443e25203", "38f5febc-a42c-4eb1-abd6-eb7443e25203"
SECRET = "DELETE /workspaces/{id}/secrets/{key}"
FILE = "PUT /workspaces/{id}/files/{path}"


async def test_every_request_is_on_a_route_of_its_own_tool_and_many_leave() -> None:
    tally = await fuzzed(20 * len(entries()), seed=7)
    assert tally.strays == []
    assert tally.left >= 0.3 * tally.calls
    shy = [name for name, silent in tally.silent.items() if silent == 20]
    more = await fuzzed(100 * len(shy), seed=8, only=shy) if shy else tally
    assert more.strays == []
    assert [name for name in shy if more.silent[name] == 100] == []


@pytest.mark.parametrize(
    "line",
    [
        f"DELETE /workspaces/{ID}/secrets/../../{OTHER}",
        f"DELETE /workspaces/{ID}/secrets/..",
        f"DELETE /workspaces/{ID}/secrets/%2e%2e",
        f"DELETE /workspaces/{ID}/secrets/%252e%252e",
        f"DELETE /workspaces/{ID}/secrets/a%2fb",
        f"DELETE /workspaces/{ID}/secrets/",
        f"DELETE /workspaces/{OTHER}",
        f"POST /workspaces/{ID}/secrets/KEY",
        "DELETE /org/tokens/secrets/KEY",
    ],
)
def test_a_request_off_its_route_is_seen(line: str) -> None:
    assert strays(line, [SECRET])


@pytest.mark.parametrize(
    ("line", "route"),
    [
        (f"DELETE /workspaces/{ID}/secrets/KEY", SECRET),
        (f"DELETE /workspaces/{ID}/secrets/user%3Atodo%20list?x=..", SECRET),
        (f"PUT /workspaces/{ID}/files/a/b/c.md", FILE),
        ("GET /workspaces", "GET /workspaces"),
    ],
)
def test_a_request_on_its_route_is_not_one(line: str, route: str) -> None:
    assert not strays(line, [route])


def test_a_file_path_does_not_climb() -> None:
    assert strays(f"PUT /workspaces/{ID}/files/a/../b", [FILE])
    assert strays(f"PUT /workspaces/{ID}/files/", [FILE])
