"""Every tool agrees with the contract and the stated risks, and each check on that can fail."""

from typing import Any, Literal

import pytest
from tests.contract.catalogue import complaints, uncovered
from tests.contract.contract import operations
from tests.contract.risks import stated

from molecule_mcp.capability import Capability, Family, Preview, Risk
from molecule_mcp.secrets import Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tenant.received import SECRET_OUT
from molecule_mcp.tools import catalogue
from molecule_mcp.tools.lifecycle import RuntimeName

CONTRACT, RISKS = operations(), stated()

DELETE, CREATE, REMEMBER = "DELETE /workspaces/{id}", "POST /workspaces", "POST /workspaces/{id}/memories"
PAUSE, BUDGET, CHANNEL = (
    "POST /workspaces/{id}/pause", "PATCH /workspaces/{id}/budget", "PATCH /workspaces/{id}/channels/{channelId}",
)  # fmt: skip

OUTSIDE: dict[str, Any] = {"raised_by": {"runtime": {"external": Risk.DESTROY}}}


def test_no_tool_is_rated_below_what_it_sends() -> None:
    assert complaints(catalogue(), CONTRACT, RISKS) == []


def test_every_operation_is_sent_by_a_tool_or_is_a_named_omission() -> None:
    assert uncovered(catalogue(), CONTRACT, RISKS) == []
    assert len(uncovered({}, CONTRACT, RISKS)) == len([name for name in CONTRACT if not RISKS[name].omitted])


def test_what_holds_a_secret_is_known_to_the_way_out() -> None:
    """Text that is shown and masked, and whole files, are no fields of one value."""
    fields = {
        stated.route: {
            name.removeprefix("[].").removeprefix("config.").removeprefix("connection.")
            for name, word in stated.secret_out.items()
            if word != "redacted" and " " not in name
        }
        for stated in RISKS.values()
    }
    assert {route: names for route, names in fields.items() if names} == SECRET_OUT


async def what_happens(*_: Any, **__: Any) -> Preview:
    raise NotImplementedError


async def what_is_so(*_: Any, **__: Any) -> dict[str, bool]:
    raise NotImplementedError


async def plain(tenant: Tenant, workspace_id: str) -> None:
    """A tool."""


async def with_sweep(tenant: Tenant, sweep: bool = False) -> None:
    """A tool."""


async def with_purge(tenant: Tenant, workspace_id: str, purge: bool = False) -> None:
    """A tool."""


async def with_confirm(tenant: Tenant, workspace_id: str, confirm: bool = False) -> None:
    """A tool."""


async def with_scope(tenant: Tenant, scope: Literal["LOCAL", "TEAM", "GLOBAL"]) -> None:
    """A tool."""


async def with_local_scope(tenant: Tenant, scope: Literal["LOCAL"]) -> None:
    """A tool."""


async def with_memories(tenant: Tenant, secrets: Secrets, initial_memories: list[dict[str, str]]) -> None:
    """A tool."""


async def with_external(tenant: Tenant, secrets: Secrets, external: bool = False) -> None:
    """A tool."""


async def with_runtime(tenant: Tenant, secrets: Secrets, runtime: str = "") -> None:
    """A tool."""


async def with_read_runtime(tenant: Tenant, secrets: Secrets, runtime: RuntimeName = "") -> None:
    """A tool."""


async def with_runtimes(tenant: Tenant, secrets: Secrets, runtime: list[str]) -> None:
    """A tool."""


async def with_switch(tenant: Tenant, enabled: Literal["keep", "yes", "no"] = "keep") -> None:
    """A tool."""


async def with_users(tenant: Tenant, workspace_id: str, allowed_users: list[str] | None = None) -> None:
    """A tool."""


def recorded(function: Any, risk: Risk, sends: list[str], **more: Any) -> Capability:
    """A tool of these facts."""
    family = Family("trial")
    preview = None if risk < Risk.DESTROY and not more else what_happens
    facts = what_is_so if "raised_by_fact" in more else None
    family.tool(risk, sends=sends, title="Trial", preview=preview, facts=facts, **more)(function)
    return family.capabilities[function.__name__]


@pytest.mark.parametrize(
    ("tool", "complaint"),
    [
        (recorded(plain, Risk.READ, ["GET /nowhere"]), "GET /nowhere is no operation"),
        (
            recorded(plain, Risk.CRITICAL, ["GET /workspaces/{id}/transcript"]),
            "get_transcript is omitted: hands our bearer on to the agent's host",
        ),
        (recorded(plain, Risk.WRITE, ["POST /workspaces/{id}/hibernate"]), "is disrupt, by hibernate_workspace"),
        (
            recorded(with_sweep, Risk.READ, ["GET /approvals/pending"], raised_by={"sweep": Risk.DISRUPT}),
            "is destroy, by list_pending_approvals",
        ),
        (
            recorded(with_purge, Risk.DISRUPT, [DELETE], raised_by={"purge": Risk.CRITICAL}),
            "is destroy, by delete_workspace",
        ),
        (
            recorded(plain, Risk.READ, [PAUSE], raised_by_fact={"descendants": Risk.WRITE}),
            "is disrupt, by pause_workspace",
        ),
        (recorded(plain, Risk.DISRUPT, [PAUSE]), "the fact descendants is destroy, by pause_workspace"),
        (recorded(plain, Risk.DESTROY, [DELETE]), "the fact descendants is critical, by delete_workspace"),
        (recorded(with_purge, Risk.DESTROY, [DELETE]), "purge=True is critical, by delete_workspace"),
        (recorded(with_confirm, Risk.CRITICAL, [DELETE]), "confirm may not be given, by delete_workspace"),
        (
            recorded(with_scope, Risk.DISRUPT, [REMEMBER], raised_by={"scope": {"GLOBAL": Risk.CRITICAL}}),
            "scope='TEAM' is destroy, by commit_memory",
        ),
        (recorded(with_memories, Risk.DESTROY, [CREATE]), "initial_memories=['x'] is critical, by create_workspace"),
        (recorded(with_external, Risk.DISRUPT, [CREATE]), "external=True is destroy, by create_workspace"),
        (recorded(with_external, Risk.DISRUPT, [CREATE]), "the fact external is destroy, by create_workspace"),
        (recorded(with_runtime, Risk.DISRUPT, [CREATE]), "runtime='external' is destroy, by create_workspace"),
        (
            recorded(with_runtime, Risk.DISRUPT, [CREATE], **OUTSIDE),
            "runtime='External' is destroy, by create_workspace",
        ),
        (
            recorded(with_runtime, Risk.DISRUPT, [CREATE], **OUTSIDE),
            "runtime=' external' is destroy, by create_workspace",
        ),
        (recorded(with_runtimes, Risk.DISRUPT, [CREATE]), "runtime=['external'] is destroy, by create_workspace"),
        (recorded(with_switch, Risk.DISRUPT, [CHANNEL]), "enabled='yes' is destroy, by update_channel"),
        (recorded(plain, Risk.DISRUPT, [CREATE]), "cannot put what create_workspace answers into an output"),
        (
            recorded(
                with_users,
                Risk.DISRUPT,
                [CHANNEL, "GET /workspaces/{id}/channels"],
                raised_by={"allowed_users": Risk.DESTROY},
            ),
            "allowed_users=[] is destroy, by update_channel",
        ),
        (
            recorded(plain, Risk.DISRUPT, [BUDGET]),
            "stores no former value, so it is destroy, by set_budget",
        ),
    ],
)
def test_a_tool_rated_too_low_is_complained_about(tool: Capability, complaint: str) -> None:
    assert f"{tool.name}: {complaint}" in complaints({tool.name: tool}, CONTRACT, RISKS)


@pytest.mark.parametrize(
    "tool",
    [
        recorded(
            with_purge,
            Risk.DESTROY,
            [DELETE, "GET /workspaces"],
            raised_by={"purge": Risk.CRITICAL},
            raised_by_fact={"descendants": Risk.CRITICAL},
        ),
        recorded(with_local_scope, Risk.DISRUPT, [REMEMBER]),
        recorded(
            with_scope, Risk.DISRUPT, [REMEMBER], raised_by={"scope": {"TEAM": Risk.DESTROY, "GLOBAL": Risk.CRITICAL}}
        ),
        recorded(
            with_external,
            Risk.DISRUPT,
            [CREATE],
            raised_by={"external": Risk.DESTROY},
            raised_by_fact={"external": Risk.DESTROY},
        ),
        recorded(with_read_runtime, Risk.DISRUPT, [CREATE], **OUTSIDE, raised_by_fact={"external": Risk.DESTROY}),
        recorded(with_users, Risk.DESTROY, [CHANNEL]),
        recorded(plain, Risk.DISRUPT, [BUDGET, "GET /workspaces"]),
        recorded(with_sweep, Risk.READ, ["GET /approvals/pending"], raised_by={"sweep": Risk.DESTROY}),
    ],
)
def test_a_tool_rated_by_the_rules_is_not_complained_about(tool: Capability) -> None:
    assert complaints({tool.name: tool}, CONTRACT, RISKS) == []
