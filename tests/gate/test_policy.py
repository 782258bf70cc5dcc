"""What a profile may do; any doubt refuses."""

import re
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.contract.contract import Operation, operations

from molecule_mcp.capability import Risk, changing
from molecule_mcp.errors import PolicyRefusal
from molecule_mcp.gate.policy import Ability, Profile, check, expired, refusal, within, workspaces_in
from molecule_mcp.settings import Role

A, B, C = (f"{letter * 8}-0000-4000-8000-000000000001" for letter in "abc")

READER = Profile(role="READ")
WRITER = Profile(role="WORKSPACE-WRITE")
ADMIN = Profile()
BOUND_WRITER = Profile("support", "WORKSPACE-WRITE", frozenset({A}))
BOUND_ADMIN = Profile("support", "ORG-ADMIN", frozenset({A}))

LIST = Ability("list_workspaces", Risk.READ, frozenset({"GET /workspaces"}))
SWEEPS = frozenset({"GET /approvals/pending"})
SWEEP = Ability("list_pending_approvals", Risk.READ, SWEEPS | {"GET /events"}, SWEEPS)
PAUSE = Ability("pause_workspace", Risk.DISRUPT, frozenset({"POST /workspaces/{id}/pause", "GET /workspaces"}))
DELETE = Ability("delete_workspace", Risk.DESTROY, frozenset({"DELETE /workspaces/{id}", "GET /workspaces"}))
MINT = Ability("create_org_token", Risk.CRITICAL, frozenset({"POST /org/tokens"}))
CREATE = Ability("create_workspace", Risk.WRITE, frozenset({"POST /workspaces", "GET /workspaces/{id}"}))
DENY_OLD = Ability("deny_old_approvals", Risk.DESTROY, frozenset({"GET /approvals/pending"}))

KEYS = Ability("list_org_tokens", Risk.READ, frozenset({"GET /org/tokens"}))
OWN_TOKEN = Profile(role="WORKSPACE-WRITE", bound=frozenset({A}), workspace_token=True)

DENIED = "`deny` of this profile names it, or its toolset"
NOT_ALLOWED = "`allow` of this profile names neither it nor its toolset"
NEEDS_ANOTHER_KEY = "the key of this profile is a workspace's own token; the tool needs an organization key"
CHANGING_READ = "this read would change something; only an unbound ORG-ADMIN may do that"
TOO_WIDE_A_TOOL = "this profile changes single workspaces only; the tool changes the organization"
OUTSIDE = "a workspace id in the arguments is outside the workspaces this profile is bound to"

ROUTES = sorted(operation.route for operation in operations().values())

ids = st.sampled_from([A, B, C])
names = st.frozensets(st.just("tool"))
profiles = st.builds(
    Profile,
    st.just("x"),
    st.sampled_from(get_args(Role)),
    st.none() | st.frozensets(ids),
    allow=st.none() | names,
    deny=names,
    workspace_token=st.booleans(),
)
abilities = st.builds(Ability, st.just("tool"), st.sampled_from(Risk), st.frozensets(st.sampled_from(ROUTES)))
workspaces = st.lists(ids | ids.map(str.upper), max_size=3)
risks = st.sampled_from(Risk)


def passes(profile: Profile, ability: Ability, risk: Risk, ids: list[str]) -> bool:
    """Whether a call goes through."""
    try:
        check(profile, ability, risk, ids)
    except PolicyRefusal as error:
        assert error.sent is False
        return False
    return True


@pytest.mark.parametrize(
    ("profile", "hidden"),
    [
        (ADMIN, []),
        (WRITER, [MINT, CREATE, DENY_OLD]),
        (READER, [PAUSE, DELETE, MINT, CREATE, DENY_OLD]),
        (BOUND_ADMIN, [MINT, CREATE, DENY_OLD]),
        (BOUND_WRITER, [MINT, CREATE, DENY_OLD]),
    ],
)
def test_a_tool_that_a_profile_can_never_use_is_refused_as_such(profile: Profile, hidden: list[Ability]) -> None:
    tools = [LIST, SWEEP, PAUSE, DELETE, MINT, CREATE, DENY_OLD]
    assert [tool for tool in tools if refusal(profile, tool)] == hidden


@pytest.mark.parametrize(
    ("profile", "ability", "risk", "ids", "why"),
    [
        (Profile(deny=frozenset({LIST.name})), LIST, Risk.READ, [], DENIED),
        (Profile(allow=frozenset({LIST.name})), DELETE, Risk.DESTROY, [A], NOT_ALLOWED),
        (OWN_TOKEN, DELETE, Risk.DESTROY, [A], NEEDS_ANOTHER_KEY),
        (READER, DELETE, Risk.DESTROY, [A], "this profile only reads"),
        (READER, SWEEP, Risk.DESTROY, [], CHANGING_READ),
        (WRITER, SWEEP, Risk.DESTROY, [], CHANGING_READ),
        (BOUND_ADMIN, SWEEP, Risk.DESTROY, [A], CHANGING_READ),
        (WRITER, MINT, Risk.CRITICAL, [], TOO_WIDE_A_TOOL),
        (
            BOUND_ADMIN,
            MINT,
            Risk.CRITICAL,
            [],
            "this profile is bound to workspaces; the tool changes the organization",
        ),
        (BOUND_WRITER, KEYS, Risk.READ, [], "this profile is bound to workspaces; the tool reads beyond them"),
        (BOUND_WRITER, DELETE, Risk.DESTROY, [B], OUTSIDE),
        (BOUND_WRITER, DELETE, Risk.DESTROY, [A, B], OUTSIDE),
        (BOUND_ADMIN, LIST, Risk.READ, [B], OUTSIDE),
        (BOUND_WRITER, PAUSE, Risk.DISRUPT, [], "this profile is bound to workspaces; the arguments name none"),
        (replace(BOUND_WRITER, bound=frozenset()), PAUSE, Risk.DISRUPT, [A], OUTSIDE),
    ],
)
def test_a_refusal_says_why_and_that_only_a_person_widens_it(
    profile: Profile, ability: Ability, risk: Risk, ids: list[str], why: str
) -> None:
    with pytest.raises(PolicyRefusal) as refused:
        check(profile, ability, risk, ids)
    assert refused.value.message == f"{ability.name}: {why}"
    assert refused.value.sent is False
    assert "; a person widens it and restarts the server." in (refused.value.advice or "")


@pytest.mark.parametrize(
    ("profile", "ability", "risk", "ids", "what"),
    [
        (READER, DELETE, Risk.DESTROY, [A], "has role READ, by --read-only, MOLECULE_MCP_READ_ONLY, --role"),
        (WRITER, MINT, Risk.CRITICAL, [], "has role WORKSPACE-WRITE, by --role, MOLECULE_MCP_ROLE"),
        (BOUND_ADMIN, LIST, Risk.READ, [B], "is bound by --workspace, MOLECULE_MCP_WORKSPACES"),
        (BOUND_WRITER, PAUSE, Risk.DISRUPT, [B], "is bound by --workspace, MOLECULE_MCP_WORKSPACES"),
        (replace(BOUND_WRITER, role="READ"), PAUSE, Risk.DISRUPT, [B], "has role READ"),
        (replace(ADMIN, deny=frozenset({"mint"})), replace(MINT, name="mint"), Risk.CRITICAL, [], "in the policy file"),
        (replace(ADMIN, workspace_token=True), MINT, Risk.CRITICAL, [], "holds a workspace's own token"),
    ],
)
def test_a_refusal_names_what_refused(
    profile: Profile, ability: Ability, risk: Risk, ids: list[str], what: str
) -> None:
    with pytest.raises(PolicyRefusal) as refused:
        check(profile, ability, risk, ids)
    assert what in (refused.value.advice or "")
    assert ("has role" in (refused.value.advice or "")) == ("role" in what)


@pytest.mark.parametrize(
    ("profile", "ability", "risk", "ids"),
    [
        (READER, LIST, Risk.READ, [A]),
        (READER, SWEEP, Risk.READ, []),
        (BOUND_WRITER, SWEEP, Risk.READ, []),
        (BOUND_WRITER, LIST, Risk.READ, []),
        (BOUND_WRITER, DELETE, Risk.CRITICAL, [A.upper()]),
        (WRITER, DELETE, Risk.CRITICAL, [B]),
        (WRITER, PAUSE, Risk.DISRUPT, []),
        (ADMIN, SWEEP, Risk.DESTROY, []),
        (ADMIN, MINT, Risk.CRITICAL, []),
    ],
)
def test_what_a_profile_allows_passes(profile: Profile, ability: Ability, risk: Risk, ids: list[str]) -> None:
    check(profile, ability, risk, ids)


@given(abilities, risks, workspaces, st.none() | st.frozensets(ids))
def test_a_reading_profile_passes_nothing_above_read(
    ability: Ability, risk: Risk, ids: list[str], bound: frozenset[str] | None
) -> None:
    if passes(Profile(role="READ", bound=bound), ability, risk, ids):
        assert (ability.risk, risk) == (Risk.READ, Risk.READ)


@given(profiles, abilities, risks, workspaces)
def test_a_bound_profile_passes_no_other_id_and_no_change_without_one(
    profile: Profile, ability: Ability, risk: Risk, ids: list[str]
) -> None:
    assume(profile.bound is not None)
    if passes(profile, ability, risk, ids):
        assert {each.lower() for each in ids} <= (profile.bound or set())
        assert ids or risk is Risk.READ or ability.risk is Risk.READ is risk


@given(profiles, abilities, risks, workspaces)
def test_only_an_unbound_administrator_changes_the_organization(
    profile: Profile, ability: Ability, risk: Risk, ids: list[str]
) -> None:
    assume(any(changing(route) and "/workspaces/{id}" not in route for route in ability.sends))
    if passes(profile, ability, max(risk, ability.risk), ids) and max(risk, ability.risk) > Risk.READ:
        assert (profile.role, profile.bound) == ("ORG-ADMIN", None)


@given(profiles, abilities, risks, workspaces)
def test_what_is_refused_outright_passes_with_no_arguments(
    profile: Profile, ability: Ability, risk: Risk, ids: list[str]
) -> None:
    assert not (refusal(profile, ability) and passes(profile, ability, risk, ids))


@given(
    profiles, st.none() | st.sampled_from(get_args(Role)), st.none() | st.frozensets(ids), abilities, risks, workspaces
)
def test_what_is_effective_under_any_overlay_is_a_subset_of_the_profile(
    profile: Profile, role: Role | None, bound: frozenset[str] | None, ability: Ability, risk: Risk, ids: list[str]
) -> None:
    overlaid = profile.narrowed(role, bound)
    assert refusal(overlaid, ability) or not refusal(profile, ability)
    assert passes(profile, ability, risk, ids) or not passes(overlaid, ability, risk, ids)


@pytest.mark.parametrize(
    ("profile", "role", "bound", "left"),
    [
        (ADMIN, None, None, ADMIN),
        (ADMIN, "READ", None, READER),
        (READER, "ORG-ADMIN", None, READER),
        (ADMIN, None, frozenset({A}), Profile(bound=frozenset({A}))),
        (BOUND_ADMIN, None, None, BOUND_ADMIN),
        (BOUND_ADMIN, "WORKSPACE-WRITE", None, BOUND_WRITER),
        (BOUND_ADMIN, "WORKSPACE-WRITE", frozenset({A, B}), BOUND_WRITER),
        (BOUND_ADMIN, None, frozenset({B}), replace(BOUND_ADMIN, bound=frozenset[str]())),
    ],
)
def test_an_overlay_leaves_the_lesser_role_and_the_ids_in_both(
    profile: Profile, role: Role | None, bound: frozenset[str] | None, left: Profile
) -> None:
    assert profile.narrowed(role, bound) == left


def test_a_profile_that_says_nothing_is_the_default_one() -> None:
    assert Profile() == Profile("default", "ORG-ADMIN", None, None, frozenset(), Risk.DESTROY, False, None, ())


@given(profiles, abilities, risks, risks, workspaces)
def test_a_higher_risk_never_lets_a_call_pass(
    profile: Profile, ability: Ability, risk: Risk, other: Risk, ids: list[str]
) -> None:
    low, high = sorted([risk, other])
    assert passes(profile, ability, low, ids) or not passes(profile, ability, high, ids)


def test_deny_beats_allow_and_what_allow_leaves_out_is_refused() -> None:
    both = Profile(allow=frozenset({LIST.name, PAUSE.name}), deny=frozenset({PAUSE.name}))
    assert refusal(both, LIST) is None
    assert refusal(both, PAUSE) == DENIED
    assert refusal(both, DELETE) == NOT_ALLOWED


def test_a_workspaces_own_token_is_for_tools_of_one_workspace() -> None:
    schedules = Ability("list_schedules", Risk.READ, frozenset({"GET /workspaces/{id}/schedules"}))
    assert refusal(OWN_TOKEN, schedules) is None
    assert refusal(OWN_TOKEN, LIST) == refusal(OWN_TOKEN, DELETE) == NEEDS_ANOTHER_KEY


@pytest.mark.parametrize("operation", operations().values(), ids=lambda each: each.id)
def test_which_routes_take_a_workspaces_own_token_is_as_the_contract_says(operation: Operation) -> None:
    takes = Ability("tool", Risk.READ, frozenset({operation.route})).takes_workspace_token
    if takes:
        assert re.match("workspace|open|other: (open without|workspace|.* own token)", operation.auth)
    if operation.auth.startswith(("workspace", "open")) and "/workspaces/{id}" in operation.route:
        assert takes


def test_beyond_its_workspace_such_a_token_is_taken_by_what_is_open_to_anybody() -> None:
    beyond = [each for each in ROUTES if "/workspaces/{id}" not in each]
    assert [each for each in beyond if Ability("tool", Risk.READ, frozenset({each})).takes_workspace_token] == [
        "GET /channels/adapters",
        "GET /health",
        "GET /plugins",
        "GET /plugins/sources",
    ]


def test_a_read_of_nothing_but_the_whole_organization_is_not_for_a_bound_profile() -> None:
    assert "reads beyond them" in (refusal(BOUND_WRITER, KEYS) or "")
    assert refusal(WRITER, KEYS) is None
    some = frozenset({"GET /settings/secrets", "GET /workspaces"})
    assert refusal(BOUND_WRITER, Ability("find_secret", Risk.READ, some))
    assert refusal(BOUND_WRITER, Ability("get_impact", Risk.READ, some, frozenset({"GET /settings/secrets"}))) is None
    export = frozenset({"DELETE /workspaces/{id}/memories/{memoryId}", "GET /admin/memories/export"})
    assert "reads beyond them" in (refusal(BOUND_WRITER, Ability("delete_memory", Risk.DESTROY, export)) or "")


def test_a_profile_expires_at_its_time_and_not_before() -> None:
    profile = Profile("support", expires=1000.0)
    assert expired(profile, 999.9) is None
    assert expired(Profile(), 1e12) is None
    refused = expired(profile, 1000.0)
    assert refused is not None and "'support' has expired" in refused.message


@given(st.sampled_from(Risk), risks)
def test_a_profile_may_ask_for_more_and_never_for_less(ask_from: Risk, risk: Risk) -> None:
    asks = Profile(ask_from=ask_from).asks(risk)
    assert asks == (risk > Risk.READ and risk >= ask_from) or risk >= Risk.DESTROY
    assert asks or risk < Risk.DESTROY


@pytest.mark.parametrize(
    ("sends", "wide"),
    [
        ((), False),
        (("GET /events", "GET /settings/secrets"), False),
        (("PATCH /workspaces/{id}", "POST /workspaces/{id}/pause"), False),
        (("PATCH /workspaces/{id}", "POST /workspaces"), True),
        (("DELETE /settings/secrets/{key}",), True),
        (("GET /approvals/pending",), True),
        (("POST /workspaces/{other}/pause",), True),
        (("POST /workspaces/{id}s",), True),
    ],
)
def test_a_change_that_names_no_single_workspace_is_organization_wide(sends: tuple[str, ...], wide: bool) -> None:
    assert Ability("tool", Risk.WRITE, frozenset(sends)).organization_wide is wide


def test_an_unbound_profile_holds_every_id_and_a_bound_one_its_own() -> None:
    assert within(ADMIN, [A, "anything"])
    assert within(BOUND_ADMIN, []) and within(BOUND_ADMIN, [A, A.upper()])
    assert not within(BOUND_ADMIN, [A, B])


def test_ids_are_found_in_the_parameters_that_hold_them_and_nowhere_else() -> None:
    arguments = {"workspace_id": A, "name": "x", "others": [B, C], "parent_id": "", "none": None}
    found = workspaces_in(arguments, ["workspace_id", "others", "parent_id", "none", "absent"])
    assert found == [A, B, C]


nested = st.recursive(
    st.just(C) | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.just(C) | st.just(B), inner, max_size=2)
        | st.frozensets(st.just(C), max_size=1)
    ),
)


@given(nested)
def test_no_id_is_too_deep_to_be_found(value: Any) -> None:
    assert (C in workspaces_in({"targets": value}, {"targets"})) == (C in repr(value))
