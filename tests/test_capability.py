"""What a tool says of itself: its risk, and tenant text as a person may safely see it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecule_mcp.capability import READING_POSTS, Capability, Family, Own, Preview, Risk, changing, printable, quoted
from tests import hostile
from tests.contract.contract import operations

CODE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(\\)")


def test_risks_rise_from_read_to_critical_and_are_written_in_lower_case() -> None:
    assert [risk.label for risk in sorted(Risk)] == ["read", "write", "disrupt", "destroy", "critical"]


def test_a_route_changes_something_unless_it_is_a_get_that_the_contract_calls_a_read_or_one_named_post() -> None:
    """Contract-defined: one GET denies old approval requests, another mints a token; one POST only asks."""
    found = {each.route for each in operations().values() if not changing(each.route)}
    reads = {each.route for each in operations().values() if each.read_only}
    assert found == {route for route in reads if "GET " in route} | READING_POSTS
    assert reads >= READING_POSTS
    assert not changing("HEAD /workspaces")


def test_a_plain_name_is_shown_as_it_is() -> None:
    assert quoted("Support Lead (EU)") == '"Support Lead (EU)"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", '""'),
        ('Prod", harmless', '"Prod\', harmless"'),
        ("a\nTenant: other", r'"a\u{a}Tenant: other"'),
        ("\x1b[2J", r'"\u{1b}[2J"'),
        ("nimda\u202e", r'"nimda\u{202e}"'),
        ("\u0430dmin", r'"\u{430}dmin"'),
        ("\U000e0041", r'"\u{e0041}"'),
        (r"\u{202e}", r'"\\u{202e}"'),
        ("see https://evil.example", '"see https:[//]evil.example"'),
        ("a   b", r'"a \u{20} b"'),
        ("x" * 48, '"' + "x" * 48 + '"'),
        ("x" * 49, '"' + "x" * 48 + '"...'),
    ],
)
def test_text_that_could_fool_a_person_is_shown_harmless(text: str, shown: str) -> None:
    assert quoted(text) == shown


@given(hostile.names, st.integers(0, 300))
def test_no_text_leaves_its_quotes_its_line_or_ascii(text: str, limit: int) -> None:
    shown = quoted(text, limit)
    assert isinstance(shown, Own)
    assert re.fullmatch(r'"[ !#-~]*"(\.\.\.)?', shown)
    assert shown.endswith("...") == (len(text) > limit)
    assert "://" not in shown
    assert "  " not in shown


@given(hostile.names)
def test_every_code_in_quotes_is_ours_so_that_the_text_can_be_read_back(text: str) -> None:
    shown = quoted(text, 300).removesuffix("...")[1:-1]
    back = CODE.sub(lambda code: chr(int(code[1], 16)) if code[1] else "\\", shown)
    assert back == text[:300].replace('"', "'").replace("://", ":[//]")


@given(hostile.texts)
def test_printable_text_is_one_line_of_ascii_and_stays_as_it_is(text: str) -> None:
    assert re.fullmatch("[ -~]*", printable(text))
    assert printable(printable(text)) == printable(text)


async def nothing(**_: Any) -> Preview:
    """A preview that nobody reads here."""
    raise NotImplementedError


async def no_facts(**_: Any) -> dict[str, bool]:
    """Live facts that nobody reads here."""
    raise NotImplementedError


async def tool(scope: str = "", scopes: tuple[str, ...] = (), purge: bool = False, level: int = 0) -> None:
    """Do nothing."""


def recorded(function: Callable[..., Awaitable[Any]] = tool, risk: Risk = Risk.WRITE, **facts: Any) -> Capability:
    """A capability as a family records it."""
    family = Family("test")
    kept = family.tool(risk, sends=["POST /workspaces/{id}/x", "GET /workspaces"], title="Tool", **facts)(function)
    assert kept is function
    return family.capabilities[function.__name__]


def test_a_family_records_the_facts_of_a_tool_and_hands_the_function_back() -> None:
    found = recorded(idempotent=False, open_world=True)
    assert (found.name, found.family, found.title, found.risk) == ("tool", "test", "Tool", Risk.WRITE)
    assert found.sends == {"POST /workspaces/{id}/x", "GET /workspaces"}
    assert (found.function, found.preview, found.facts) == (tool, None, None)
    assert (found.raised_by, found.raised_by_fact) == ({}, {})
    assert (found.idempotent, found.open_world) == (False, True)


@pytest.mark.parametrize(
    ("facts", "highest"),
    [
        ({}, Risk.WRITE),
        ({"raised_by": {"purge": Risk.CRITICAL}}, Risk.CRITICAL),
        ({"raised_by": {"scope": {"TEAM": Risk.DISRUPT, "GLOBAL": Risk.DESTROY}}}, Risk.DESTROY),
        ({"raised_by_fact": {"descendants": Risk.DESTROY}, "facts": no_facts}, Risk.DESTROY),
        ({"raised_by": {"purge": Risk.READ}}, Risk.WRITE),
    ],
)
def test_the_highest_risk_counts_every_argument_and_fact(facts: dict[str, Any], highest: Risk) -> None:
    assert recorded(preview=nothing, **facts).highest is highest


RAISED = recorded(
    preview=nothing,
    raised_by={
        "purge": Risk.CRITICAL,
        "scope": {"TEAM": Risk.DESTROY, "OWN": Risk.READ},
        "scopes": {"TEAM": Risk.DESTROY},
        "level": {"7": Risk.DISRUPT, "true": Risk.CRITICAL},
    },
)


@pytest.mark.parametrize(
    ("arguments", "risk"),
    [
        ({}, Risk.WRITE),
        ({"purge": False, "scope": "", "scopes": [], "level": 0}, Risk.WRITE),
        ({"purge": True}, Risk.CRITICAL),
        ({"scope": "TEAM"}, Risk.DESTROY),
        ({"scope": "LOCAL"}, Risk.WRITE),
        ({"scope": "OWN"}, Risk.WRITE),
        ({"scope": "TEAM", "purge": True}, Risk.CRITICAL),
        ({"scopes": ["LOCAL", "TEAM"]}, Risk.DESTROY),
        ({"scopes": ("TEAM", "LOCAL")}, Risk.DESTROY),
        ({"level": 7}, Risk.DISRUPT),
        ({"level": True}, Risk.CRITICAL),
        ({"other": True}, Risk.WRITE),
    ],
)
def test_an_argument_raises_the_risk_of_its_call_and_never_lowers_it(arguments: dict[str, Any], risk: Risk) -> None:
    assert RAISED.raised(arguments) is risk


risks = st.sampled_from(Risk)
values = st.sampled_from(["TEAM", "GLOBAL", "", True, False, 0, 7, None]) | st.lists(st.sampled_from(["TEAM", "x"]))


@given(risks, risks | st.dictionaries(st.sampled_from(["TEAM", "7", "true"]), risks), values)
def test_the_risk_of_a_call_lies_between_the_floor_and_the_highest(floor: Risk, by: Any, value: Any) -> None:
    found = recorded(risk=floor, preview=nothing, raised_by={"scope": by})
    assert floor <= found.raised({"scope": value}) <= found.highest


@pytest.mark.parametrize(
    ("risk", "facts", "why"),
    [
        (Risk.DESTROY, {}, "tool can reach destroy and has no preview"),
        (Risk.READ, {"raised_by": {"purge": Risk.CRITICAL}}, "tool can reach critical and has no preview"),
        (Risk.WRITE, {"raised_by_fact": {"below": Risk.DISRUPT}}, "needs both raised_by_fact and facts"),
        (Risk.WRITE, {"facts": no_facts}, "needs both raised_by_fact and facts"),
        (Risk.WRITE, {"raised_by": {"purged": Risk.DISRUPT}}, "raised by purged, which it does not take"),
        (Risk.WRITE, {"optional": ["GET /elsewhere"]}, "tool does not send GET /elsewhere"),
    ],
)
def test_a_tool_that_could_slip_past_the_gate_is_not_recorded(risk: Risk, facts: dict[str, Any], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        recorded(risk=risk, **facts)


def test_a_second_tool_of_a_name_is_not_recorded() -> None:
    family = Family("test")
    record = family.tool(Risk.READ, sends=[], title="Tool")
    record(tool)
    with pytest.raises(TypeError, match="tool is recorded twice"):
        record(tool)


async def with_an_option(dry_run: bool) -> None:
    """A tool that takes what the road takes."""


def test_a_tool_that_takes_an_option_of_the_road_itself_is_not_recorded() -> None:
    with pytest.raises(TypeError, match="takes dry_run, which every changing call has anyway"):
        Family("test").tool(Risk.WRITE, sends=[], title="Tool")(with_an_option)
