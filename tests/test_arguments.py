"""Strict arguments: what a call may give, what a refusal tells, and the schemas that hosts read."""

import json
import traceback
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, Field

from molecule_mcp.arguments import (
    INJECTED,
    RULES,
    TOLD,
    Options,
    input_schema,
    options,
    read,
    renamed,
    taken,
    workspace_parameters,
)
from molecule_mcp.capability import Family, FromPerson, Risk, Workspace
from molecule_mcp.errors import ArgumentError
from molecule_mcp.tools.kinds import Answer, OptionalWorkspaceId, WorkspaceId
from tests import hostile

FORM = "does not have the form its description asks for"
LOWER = "0a1b2c3d-0000-4000-8000-00000000abcd"
Scope = Literal["LOCAL", "TEAM"]


async def everything(
    tenant: object,
    secrets: object,
    outputs: object,
    workspace_id: WorkspaceId,
    decision: Annotated[Literal["approved"], FromPerson()],
    name: Annotated[str, Field(min_length=1, max_length=5, description="Its name.")] = "x",
    count: Annotated[int, Field(ge=1, le=9)] = 3,
    share: float = 0.5,
    force: bool = False,
    scope: Scope | Literal["any"] = "any",
    fields: Annotated[list[Annotated[str, Field(pattern="^[a-z]*$")]], Field(max_length=3)] = ["a"],  # noqa: B006
    limits: dict[str, int] = {},  # noqa: B006
    deep: dict[str, list[Scope]] = {},  # noqa: B006
    free: Any = None,
    parent: str | None = None,
    either: int | list[int] = 0,
    mixed: str | int | list[str] = 0,
) -> None:
    """Take every kind of argument."""


async def nothing(tenant: object) -> None:
    """Take no argument."""


def accepted(**given: Any) -> dict[str, Any]:
    """What `everything` is called with."""
    return read(everything, {"workspace_id": LOWER, **given})


def refused(**given: Any) -> str:
    """Why `everything` is not called."""
    with pytest.raises(ArgumentError) as error:
        read(everything, {"workspace_id": LOWER, **given})
    assert error.value.sent is False
    assert error.value.advice == "Correct the arguments and call again; nothing was sent."
    return error.value.message


def test_what_is_not_given_takes_its_default() -> None:
    assert accepted() == {
        "workspace_id": LOWER, "name": "x", "count": 3, "share": 0.5, "force": False, "scope": "any",
        "fields": ["a"], "limits": {}, "deep": {}, "free": None, "parent": None, "either": 0, "mixed": 0,
    }  # fmt: skip
    assert read(nothing, {}) == {}


def test_a_default_is_not_shared_between_calls() -> None:
    accepted()["fields"].append("b")
    assert accepted()["fields"] == ["a"]


def test_an_id_is_taken_in_any_case_and_handed_on_in_lower_case() -> None:
    assert accepted(workspace_id=LOWER.upper())["workspace_id"] == LOWER


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "7", 7),
        ("count", "007", 7),
        ("either", "-5", -5),
        ("force", "true", True),
        ("force", "false", False),
        ("fields", '["a","b"]', ["a", "b"]),
        ("limits", ' {"a": 1} ', {"a": 1}),
        ("either", "[1,2]", [1, 2]),
        ("name", "7", "7"),
        ("name", "true", "true"),
        ("parent", "[]", "[]"),
        ("mixed", "7", "7"),
        ("mixed", '["a"]', '["a"]'),
        ("mixed", 7, 7),
        ("free", "[1]", "[1]"),
        ("parent", None, None),
        ("scope", "TEAM", "TEAM"),
        ("deep", {"a": ["TEAM"]}, {"a": ["TEAM"]}),
    ],
)
def test_a_text_that_says_exactly_one_value_is_taken_for_it_where_no_text_is_wanted(
    name: str, given: Any, value: Any
) -> None:
    found = accepted(**{name: given})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workspace_id": "Finance Lead"}, f"workspace_id {FORM}: Workspace. A UUID, not a name."),
        ({"workspace_id": None}, "workspace_id must be text"),
        ({"workspace_id": f"{LOWER}\n"}, f"workspace_id {FORM}: Workspace. A UUID, not a name."),
        ({"name": 5}, "name must be text"),
        ({"name": ""}, "name has too few characters: at least 1"),
        ({"name": "abcdef"}, "name is longer than 5 characters"),
        ({"count": 0}, "count must be at least 1"),
        ({"count": 10}, "count must be at most 9"),
        ({"count": "--5"}, "count must be a whole number"),
        ({"count": "5.0"}, "count must be a whole number"),
        ({"count": " 5"}, "count must be a whole number"),
        ({"count": "\u0665"}, "count must be a whole number"),
        ({"count": "9" * 5000}, "count must be a whole number"),
        ({"count": 5.5}, "count must be a whole number"),
        ({"count": True}, "count must be a whole number"),
        ({"share": "much"}, "share must be a number"),
        ({"share": float("nan")}, "arguments are not JSON, or nested too deep"),
        ({"force": 1}, "force must be true or false"),
        ({"force": "True"}, "force must be true or false"),
        ({"force": "yes"}, "force must be true or false"),
        ({"scope": "ALL"}, "scope must be one of 'LOCAL' or 'TEAM' or must be one of 'any'"),
        ({"fields": "a"}, "fields must be a list"),
        ({"fields": {"a": 1}}, "fields must be a list"),
        ({"fields": '{"a":1}'}, "fields must be a list"),
        ({"fields": ["a"] * 4}, "fields has more than 3 entries"),
        ({"fields": ["a", 1]}, "fields.1 must be text"),
        ({"fields": ["a", "B"]}, f"fields.1 {FORM}"),
        ({"limits": [1]}, "limits must be an object"),
        ({"limits": "{"}, "limits must be an object"),
        ({"limits": "[" * 100_000}, "limits must be an object"),
        ({"limits": {"a": "1", "b": "2"}}, "limits must be a whole number"),
        ({"deep": {"a": ["ALL"]}}, "deep.0 must be one of 'LOCAL' or 'TEAM'"),
        ({"either": "x"}, "either must be a whole number or must be a list"),
        ({"name": "\ud800"}, "arguments are not JSON, or nested too deep"),
        ({"name": 1, "force": 1}, "name must be text; force must be true or false"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_its_rule(given: dict[str, Any], message: str) -> None:
    assert refused(**given) == message


def test_every_missing_argument_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"^workspace_id is required$"):
        read(everything, {})


KNOWN = "workspace_id, name, count, share, force, scope, fields, limits, deep, free, parent, either, mixed"


def test_an_unknown_argument_is_refused_by_naming_the_known_ones() -> None:
    assert refused(workspace="x") == f"1 unknown argument; known are: {KNOWN}"
    assert refused(a=1, b=2, name=1) == f"name must be text; 2 unknown arguments; known are: {KNOWN}"
    with pytest.raises(ArgumentError, match=r"^1 unknown argument; known are: none$"):
        read(nothing, {"x": 1})


def test_what_another_tool_takes_is_answered_with_that_tool() -> None:
    told = refused(budget_limit_cents=1, budget_limit=2)
    assert told == f"2 unknown arguments; known are: {KNOWN}; set_budget changes a limit"


def test_a_read_s_workspace_is_put_under_the_name_it_has_there_and_nothing_else_is_moved() -> None:
    assert renamed(say, {"workspace_id": "x", "text": "y"}) == {"workspace": "x", "text": "y"}
    assert renamed(everything, {"workspace": "x"}) == {"workspace_id": "x"}
    for kept in ({"workspace": "x", "workspace_id": "y"}, {"agent": "x"}):
        assert renamed(say, kept) == renamed(everything, kept) == kept
    assert renamed(nothing, {"workspace": "x"}) == {"workspace": "x"}


async def say(workspace: str, text: str = "", cron_expr: str = "") -> None:
    """Take names that are easily mistaken."""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"workspace_id": "x"}, "1 unknown argument (did you mean workspace?)"),
        ({"message": "x"}, "1 unknown argument (did you mean text?)"),
        ({"agent": "x", "cron": "x"}, "2 unknown arguments (did you mean workspace, cron_expr?)"),
        ({"Workspace": "x", "workspace_id": "x"}, "2 unknown arguments (did you mean workspace?)"),
        ({"workspace": "x", "workspace_id": "x"}, "1 unknown argument"),
        ({"sk_live_1": "x"}, "1 unknown argument"),
        ({"workspace" + "s" * 56: "x"}, "1 unknown argument"),
    ],
)
def test_an_unknown_name_is_answered_with_the_one_it_is_taken_for_and_never_repeated(
    given: dict[str, str], meant: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        read(say, given)
    told = error.value.message.removeprefix("workspace is required; ")
    assert told == f"{meant}; known are: workspace, text, cron_expr"


async def place(
    parent_id: Annotated[OptionalWorkspaceId, Field(description="Its parent; empty: a root.")] = "",
    kind: Annotated[Literal[Scope, "any"], Field(description="Of which scope.")] = "any",
    zone: Annotated[str, AfterValidator(int), Field(description="A number.")] = "1",
) -> None:
    """Take what may be left out."""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parent_id": "Finance Lead"}, f"parent_id {FORM}: Its parent; empty: a root. A UUID, not a name."),
        ({"kind": "ALL"}, "kind must be one of 'LOCAL', 'TEAM' or 'any': Of which scope."),
        ({"zone": "x"}, "zone is not what its description asks for: A number."),
    ],
)
def test_a_refusal_says_what_the_description_asks_for(given: dict[str, str], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        read(place, given)
    assert error.value.message == message


@pytest.mark.parametrize("name", [*sorted(INJECTED), "decision"])
def test_nobody_gives_what_the_road_or_a_person_fills_in(name: str) -> None:
    assert refused(**{name: "approved"}).startswith("1 unknown argument")


def test_a_thousand_wrong_entries_are_told_in_few_words() -> None:
    message = refused(either=["x"] * 1000)
    assert message.count(";") == TOLD
    assert message.endswith(f"; {1001 - TOLD} more places do not fit")


def nest(depth: int) -> list[Any]:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("depth", [300, 100_000])
def test_arguments_nested_too_deep_are_refused(depth: int) -> None:
    assert refused(free=nest(depth)).startswith("arguments ")


CANARY = "Zq7Canary"
NUMBER = 918273645

leaves = (
    st.sampled_from([CANARY, f"x{CANARY}", f"{CANARY} y", f'["{CANARY}"]', f'{{"{CANARY}":"{CANARY}"}}', "TEAM", LOWER])
    | st.sampled_from([NUMBER, NUMBER / 2**31, -NUMBER, str(NUMBER), f"--{NUMBER}", True, None, 5, "5", float("inf")])
    | hostile.texts.map(lambda text: text + CANARY)
)
keys = st.sampled_from([CANARY, f"{CANARY}_x", "TEAM", "name", "a b", "", f"{CANARY}.0"]) | hostile.texts
given_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)
parameters = st.sampled_from([*KNOWN.split(", "), "decision", "tenant", CANARY, f"known {CANARY}"])
calls = st.dictionaries(parameters, given_values, max_size=6)


def told(error: ArgumentError) -> str:
    """Everything an agent or a log can see of an error."""
    return json.dumps(error.told()) + repr(error) + "".join(traceback.format_exception(error))


@settings(deadline=None, max_examples=400)
@given(calls)
@example({"limits": {CANARY: "x"}})
@example({"deep": {CANARY: [CANARY]}})
@example({"deep": {CANARY: {CANARY: NUMBER}}})
@example({CANARY: CANARY})
@example({"either": [NUMBER, CANARY]})
@example({"fields": json.dumps([CANARY, NUMBER])})
def test_no_part_of_what_was_given_appears_in_a_refusal(given: dict[str, Any]) -> None:
    try:
        read(everything, given)
    except ArgumentError as error:
        assert CANARY not in told(error)
        assert str(NUMBER) not in told(error)
        assert len(error.message) < 1500


@settings(deadline=None, max_examples=400)
@given(calls.map(lambda call: {"workspace_id": LOWER, **call}))
def test_a_call_is_taken_as_declared_or_refused_and_never_breaks(given: dict[str, Any]) -> None:
    """What is taken fits the schema that hosts see, and is taken unchanged when it is given again."""
    try:
        taken = read(everything, given)
    except ArgumentError:
        return
    assert read(everything, taken) == taken
    present = {name: value for name, value in taken.items() if value is not None}
    Draft202012Validator(input_schema(everything)).validate(present)  # pyright: ignore[reportUnknownMemberType]


def test_only_limits_of_our_own_are_filled_into_rules() -> None:
    """Pydantic's context also holds what was given: `actual_length`, `error`, `input`."""
    ours = {"description", "expected", "ge", "le", "max_length", "min_length"}
    filled = {part.split("}")[0] for rule in RULES.values() for part in rule.split("{")[1:]}
    assert filled <= ours


def test_every_parameter_that_holds_workspace_ids_is_known_however_deep() -> None:
    async def tool(
        tenant: Annotated[object, Workspace()],
        plain: str,
        one: WorkspaceId,
        some: list[WorkspaceId],
        few: Annotated[list[WorkspaceId], Field(max_length=3)],
        perhaps: WorkspaceId | None,
        perhaps_some: Annotated[list[WorkspaceId] | None, Field(description="x")] = None,
        pairs: dict[str, list[WorkspaceId]] | None = None,
        bare: Annotated[str, Workspace] = "",
    ) -> WorkspaceId:
        """Take ids in every way."""
        raise NotImplementedError

    found = workspace_parameters(tool)
    assert found - INJECTED == {"one", "some", "few", "perhaps", "perhaps_some", "pairs", "bare"}


def test_a_tools_schema_names_its_arguments_and_closes_the_rest() -> None:
    schema = input_schema(everything)
    assert [*schema["properties"]] == KNOWN.split(", ")
    assert (schema["type"], schema["required"], schema["additionalProperties"]) == ("object", ["workspace_id"], False)
    assert schema["properties"]["name"] == {"type": "string", "default": "x", "description": "Its name."}
    assert schema["properties"]["parent"] == {"type": "string"}
    assert input_schema(nothing) == {"type": "object", "properties": {}, "additionalProperties": False}


family = Family("test")


@family.tool(Risk.WRITE, sends=[], title="Change")
async def change(tenant: object, name: Annotated[str, Field(description="A name.")] = "x") -> Answer:
    """Change something."""
    return Answer()


@family.tool(Risk.READ, sends=[], title="Look")
async def look(tenant: object) -> Answer:
    """Look at something."""
    return Answer()


CHANGE = family.capabilities["change"]


def test_a_changing_tool_takes_options_that_its_function_never_sees() -> None:
    assert taken(CHANGE, {"name": "y", "dry_run": "true"}) == (Options(dry_run=True), {"name": "y"})
    assert taken(CHANGE, {}) == (Options(), {"name": "x"})


def test_a_wrong_option_is_refused_by_its_rule() -> None:
    with pytest.raises(ArgumentError, match=r"^dry_run must be true or false$"):
        taken(CHANGE, {"dry_run": "perhaps"})


def test_an_unknown_argument_is_answered_with_the_options_too() -> None:
    with pytest.raises(ArgumentError, match="known are: name, dry_run"):
        taken(CHANGE, {"dryrun": True})


def test_a_pure_read_takes_no_option() -> None:
    assert options(family.capabilities["look"]) == {}
    with pytest.raises(ArgumentError, match="known are: none"):
        taken(family.capabilities["look"], {"dry_run": True})


def test_an_option_costs_a_few_dozen_bytes_in_the_list() -> None:
    for name, schema in options(CHANGE).items():
        assert schema["description"]
        assert len(json.dumps({name: schema}, separators=(",", ":"))) < 100
