"""The viewport."""

import pytest

from tests.embedded.support import Desk


async def test_everybody_sees_the_same_viewport_and_an_absent_number_is_zero(desk: Desk) -> None:
    assert (await desk.http.get("/canvas/viewport")).json() == {"x": 0, "y": 0, "zoom": 1}
    told = await desk.admin.put("/canvas/viewport", json={"x": -5.5, "zoom": 1e300})
    assert told.json() == {"status": "saved"}
    assert (await desk.http.get("/canvas/viewport")).json() == {"x": -5.5, "y": 0, "zoom": 1e300}


@pytest.mark.parametrize("body", [b"", b'{"x": "1"}', b"[]"])
async def test_what_is_no_viewport_is_refused(desk: Desk, body: bytes) -> None:
    told = await desk.admin.put("/canvas/viewport", content=body)
    assert (told.status_code, told.json()) == (400, {"error": "invalid viewport data"})
