"""What is effective is a subset of the profile, whatever the file, the flags, the environment and the call (P7)."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.fuzz import Generator, Still
from tests.profiles.making import NOW, SOON
from tests.road.rig import Clock, Rig, can_ask

from molecule_mcp import arguments as strict
from molecule_mcp import embedded, tools
from molecule_mcp.capability import Capability, Risk, WorkspaceName
from molecule_mcp.errors import ArgumentError, ConfigurationError, MoleculeError, PolicyRefusal
from molecule_mcp.gate.answer import FormAnswer, form
from molecule_mcp.gate.policy import ROLES, Profile, check, refusal
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import force, forms
from molecule_mcp.profiles.forms import Written
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked
from molecule_mcp.settings import Settings

IDS = [f"6f0c1e0e-0000-4000-8000-00000000000{digit}" for digit in range(1, 5)]
CALLS = 10_000
FILES = 500


def some(draw: random.Random, values: list[str]) -> list[str]:
    """A few of the values, at least one."""
    return draw.sample(values, draw.randint(1, min(4, len(values))))


def content(draw: random.Random) -> str:
    """A policy file with one profile."""
    names = [*entries(), *sorted({entry.family for entry in entries().values()})]
    lines = ["version = 1", "[profile.p]", f'role = "{draw.choice(ROLES)}"', f"expires = {SOON}"]
    if draw.random() < 0.6:
        lines.append(f"workspaces = {some(draw, IDS)}")
    lines += [f"{key} = {some(draw, names)}" for key in ("allow", "deny") if draw.random() < 0.4]
    lines.append(f'ask_from = "{draw.choice(["write", "disrupt", "destroy"])}"')
    lines.append(f'confirm = "{draw.choice(["usual", "strict"])}"')
    return "\n".join(lines)


def overlaid(draw: random.Random, written: Written) -> Profile | None:
    """The profile under a generated environment and flags; None when they stop the start."""
    environ = dict[str, str]()
    flags = dict[str, Any]()
    for said, role, workspaces in (
        (environ, "MOLECULE_MCP_ROLE", "MOLECULE_MCP_WORKSPACES"),
        (flags, "role", "workspaces"),
    ):
        if draw.random() < 0.3:
            said[role] = draw.choice(ROLES)
        if draw.random() < 0.3:
            said[workspaces] = ",".join(some(draw, IDS))
    try:
        return force.in_force(written, Settings.load(environ, read_only=draw.random() < 0.2, **flags), entries())
    except ConfigurationError:
        return None


def passes(profile: Profile, name: str, risk: Risk, ids: list[str]) -> bool:
    """Whether policy lets a call go on."""
    try:
        check(profile, entries()[name].ability, risk, ids)
    except PolicyRefusal:
        return False
    return True


def allowed(written: Written, name: str, risk: Risk, ids: list[str]) -> bool:
    """The same from the file's own words, said anew: a ceiling, not every rule."""
    listed = (written.allow is None or name in written.allow) and name not in written.deny
    bound = written.workspaces is None or set(ids) <= written.workspaces
    changes = max(risk, entries()[name].ability.risk) > Risk.READ
    org = entries()[name].ability.organization_wide
    role = not changes or written.role == "ORG-ADMIN" or (written.role == "WORKSPACE-WRITE" and not org)
    return listed and bound and role


def test_what_is_effective_is_a_subset_of_the_profile_for_every_overlay() -> None:
    draw = random.Random(7)
    seen = Counter[str]()
    for _ in range(FILES):
        written = forms.profiles(content(draw).encode(), "p.toml", entries(), NOW)["p"]
        alone = force.in_force(written, Settings.load({}), entries())
        effective = overlaid(draw, written)
        for _ in range(CALLS // FILES):
            name, risk = draw.choice(list(entries())), draw.choice(list(Risk))
            ids = [draw.choice(IDS) for _ in range(draw.randint(0, 2))]
            risk = max(risk, entries()[name].ability.risk)
            told = f"{written} {effective} {name} {risk} {ids}"
            if passes(alone, name, risk, ids):
                seen["alone"] += 1
                assert allowed(written, name, risk, ids), told
                assert risk < Risk.DESTROY or alone.asks(risk), told
            if effective is not None and passes(effective, name, risk, ids):
                seen["effective"] += 1
                assert passes(alone, name, risk, ids), told
                assert refusal(alone, entries()[name].ability) is None, told
                assert effective.asks(risk) >= alone.asks(risk) and effective.strict >= alone.strict, told
                assert effective.expires == alone.expires, told
            seen["stopped"] += effective is None
            seen["calls"] += 1
    assert seen["calls"] == CALLS
    # Neither vacuous: much passes, much is narrowed away, and much would have widened.
    assert min(seen["effective"], seen["alone"] - seen["effective"], seen["stopped"]) > CALLS // 50, seen


def places() -> list[tuple[str, str]]:
    """Every tool that a bound profile can use, with each parameter of it that takes a workspace."""
    bound = Profile("p", "WORKSPACE-WRITE", frozenset({IDS[0]}))
    return [
        (name, parameter)
        for name, capability in tools.catalogue().items()
        if refusal(bound, entries()[name].ability) is None
        for parameter in sorted(where(capability))
    ]


def where(capability: Capability) -> frozenset[str]:
    """The parameters of a tool that take a workspace, by id or by name."""
    function = capability.function
    return strict.workspace_parameters(function) | strict.parameters(function, WorkspaceName)


class Tenant:
    """A sample organization whose reads are answered and whose changes go nowhere, and arguments for its tools."""

    def __init__(self, folder: Path) -> None:
        self.app = embedded.build(embedded.Options(agents=False, rate_limit=None))
        self.transport = Still(self.app)
        self.rig = Rig(folder, self.app, self.transport, Clock())
        self.generator = Generator(self.app, 7)
        self.own, self.other = self.rig.named("SEO Analyst"), self.rig.named("Copywriter")
        self.road = self.rig.road(Profile("p", "WORKSPACE-WRITE", frozenset({self.own})))

    def arguments(self, name: str) -> dict[str, Any]:
        """Arguments that a tool takes, naming the own workspace wherever one can be named."""
        function = tools.catalogue()[name].function
        for _ in range(2000):
            given = self.generator.arguments(entries()[name])
            given |= dict.fromkeys(where(tools.catalogue()[name]), self.own)
            try:
                strict.read(function, given)
            except ArgumentError:
                continue
            return given
        raise AssertionError(f"no arguments for {name} were found")


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """One for all: nothing changes in it."""
    return Tenant(tmp_path_factory.mktemp("state"))


async def answered(road: Road, name: str, given: dict[str, Any]) -> MoleculeError | None:
    """Call, and say yes to whatever is asked. Returns: the error it ends in."""
    try:
        outcome = await road.call(can_ask(), name, given)
        if isinstance(outcome, Asked):
            question = outcome.plan.question
            (field,) = form(question)["required"]
            said = question.phrase or (True if field == "allow" else question.answers[0])
            await road.call(can_ask(), name, given, FormAnswer(outcome.plan.id, "accept", {field: said}))
    except MoleculeError as error:
        return error
    return None


@pytest.mark.parametrize(("tool", "parameter"), places())
async def test_another_workspace_in_any_place_is_refused_and_never_asked_about(
    tenant: Tenant, tool: str, parameter: str
) -> None:
    by_name = parameter in strict.parameters(tools.catalogue()[tool].function, WorkspaceName)
    others = [tenant.other, "Copywriter"] if by_name else [tenant.other, tenant.other.upper()]
    for other in others:
        tenant.transport.lines.clear()
        error = await answered(tenant.road, tool, tenant.arguments(tool) | {parameter: other})
        assert error is not None and error.sent is False
        if by_name:
            assert set(tenant.transport.lines) <= {"GET /workspaces"}
        else:
            assert (error.kind, tenant.transport.lines) == ("forbidden_by_policy", [])


def usable() -> list[str]:
    """Every tool that a bound profile is offered."""
    bound = Profile("p", "WORKSPACE-WRITE", frozenset({IDS[0]}))
    return [name for name, entry in entries().items() if refusal(bound, entry.ability) is None]


@pytest.mark.parametrize("tool", usable())
async def test_what_a_bound_profile_is_offered_it_can_use(tenant: Tenant, tool: str) -> None:
    kinds = list[str]()
    for _ in range(20):
        error = await answered(tenant.road, tool, tenant.arguments(tool))
        if error is None or error.kind != "forbidden_by_policy":
            return
        kinds.append(error.message)
    raise AssertionError(kinds)


async def test_no_generated_call_of_a_bound_profile_changes_another_workspace(tenant: Tenant) -> None:
    ids = set(tenant.generator.workspaces) - {tenant.own}
    names = [name for name in usable() if entries()[name].ability.risk > Risk.READ]
    changes = 0
    for number in range(1000):
        name = names[number % len(names)]
        tenant.transport.lines.clear()
        tenant.transport.bodies.clear()
        given = tenant.generator.arguments(entries()[name])
        if number % 3:
            given |= dict.fromkeys(
                strict.workspace_parameters(tools.catalogue()[name].function) & given.keys(), tenant.own
            )
        await answered(tenant.road, name, given)
        sent = [line for line in tenant.transport.lines if not line.startswith("GET ")]
        changes += len(sent)
        assert [line for line in sent for other in ids if other in line] == [], (name, given)
    assert changes > 50
