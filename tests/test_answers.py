"""Answers are held to the whole model of their tool, rows and items included."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from molecule_mcp.capability import Capability, Family, Risk
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer
from tests.answers import complaints

family = Family("messages")


class Inner(Answer):
    """A row."""

    id: str
    count: int = 0
    note: str | None = None
    data: Any = None


class Outer(Answer):
    """An answer with rows."""

    rows: list[Inner]
    first: Annotated[Inner | None, Field(description="The first.")] = None


@family.tool(Risk.READ, sends=["GET /workspaces"], title="Look")
async def look(tenant: Tenant) -> Outer:
    """Look."""
    return Outer(rows=[])


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/restart"], title="Touch")
async def touch(tenant: Tenant) -> Outer:
    """Touch."""
    return Outer(rows=[])


LOOK, TOUCH = (family.capabilities[name] for name in ("look", "touch"))
ROW = {"id": "1", "count": 2}
OUTER = {"rows": [ROW]}


@pytest.mark.parametrize(
    ("capability", "answer"),
    [
        (LOOK, {"rows": []}),
        (LOOK, {"rows": [ROW | {"note": "x", "data": {"a": [1]}}], "first": ROW, "tenant": "sample"}),
        (TOUCH, {"items": [], "sent": []}),
        (TOUCH, {"items": [OUTER], "sent": ["POST /x"], "grant": "human", "deduplicated": True}),
        (TOUCH, {"items": [], "sent": [], "dry_run": True, "risk": "disrupt", "asks": "nobody", "requests": []}),
    ],
)
def test_a_whole_answer_is_accepted(capability: Capability, answer: dict[str, Any]) -> None:
    assert complaints(capability, answer) == []


BROKEN: list[tuple[Capability, dict[str, Any], str]] = [
    (LOOK, {}, "'rows' is a required property"),
    (LOOK, {"rows": [{"id": "1"}]}, ".rows[0]: 'count' is a required property"),
    (LOOK, {"rows": [ROW | {"other": 1}]}, ".rows[0]: Additional properties"),
    (LOOK, {"rows": [ROW | {"count": "2"}]}, ".rows[0].count: '2' is not"),
    (LOOK, {"rows": [], "first": {"id": "1"}}, ".first: "),
    (LOOK, {"rows": [], "items": []}, "Additional properties"),
    (TOUCH, {"items": [OUTER]}, "no sent"),
    (TOUCH, {"sent": []}, "no items"),
    (TOUCH, {"items": [{}], "sent": []}, "items[0]: 'rows' is a required"),
    (TOUCH, {"items": [{"rows": [{"count": 1}]}], "sent": []}, "items[0].rows[0]: 'id' is a required"),
    (TOUCH, {"items": [], "sent": [], "rows": []}, "says rows beside its items"),
    (TOUCH, {"items": [], "sent": [], "dry_run": True, "rows": []}, "a dry run says rows"),
]


@pytest.mark.parametrize(("capability", "answer", "complaint"), BROKEN)
def test_what_is_missing_or_too_much_is_noticed_however_deep(
    capability: Capability, answer: dict[str, Any], complaint: str
) -> None:
    assert any(complaint in each for each in complaints(capability, answer)), complaints(capability, answer)
