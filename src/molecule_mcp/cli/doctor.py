"""`molecule-mcp doctor`: is everything set up, does the key work, and how well is it kept?

Reads only. Exit code 0: all well; 1: something does not work.
"""

import json
import os
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

import anyio

from molecule_mcp.cli import compose, program, serving
from molecule_mcp.cli.profile import InForce, in_force
from molecule_mcp.errors import ConfigurationError, MoleculeError, TenantRefused
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Secrets
from molecule_mcp.settings import Settings
from molecule_mcp.store import approver
from molecule_mcp.store.sqlite import SqliteStore
from molecule_mcp.tenant import Permit, Tenant, Wire
from molecule_mcp.tools.access import Key, keys
from molecule_mcp.tools.kinds import Answer

State = Literal["ok", "note", "fail"]

SKEW = 60.0
"""Seconds of difference between the clocks that are worth a word: ages of approvals and keys depend on it."""

ROUTES = frozenset({"GET /health", "GET /org/tokens", "GET /workspaces/{id}/tokens"})


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    about: str
    state: State
    text: str


class Health(Answer):
    """The tenant's liveness answer."""

    status: str


def run(arguments: Namespace) -> int:
    """Report.

    Raises: ConfigurationError for half a configuration; that is the first thing to mend.
    """
    redactor = Redactor()
    try:
        found, keyless = in_force(arguments, redactor), None
    except ConfigurationError as error:
        # Raises the same again unless it is only that the key could not be fetched.
        found, keyless = in_force(arguments), error
    serving.configure_logging(found.settings.log_level, redactor)
    Secrets(found.settings.state / "secrets", dict(os.environ), redactor)  # from now on its variables are masked
    checked = without_key(found, keyless) if keyless else anyio.run(examined, found, redactor)
    findings = [replace(finding, text=redactor.text(finding.text)) for finding in checked]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:5} {finding.about:11} {finding.text}")
    return 1 if any(finding.state == "fail" for finding in findings) else 0


async def examined(in_use: InForce, redactor: Redactor) -> list[Finding]:
    """Every check, in the order in which one would look."""
    settings = in_use.settings
    wire = compose.wire(settings, redactor)
    try:
        asked = await answered(in_use, wire)
    finally:
        await wire.close()
    return [configured(in_use), *asked, approval(settings), audit(settings), isolation(in_use)]


def without_key(in_use: InForce, error: ConfigurationError) -> list[Finding]:
    """Every check that needs neither the key nor the tenant."""
    settings = in_use.settings
    missing = Finding("credential", "fail", f"{error.message} {error.advice or ''}".strip())
    return [configured(in_use), missing, approval(settings), audit(settings), isolation(in_use)]


async def answered(in_use: InForce, wire: Wire) -> list[Finding]:
    """The checks that ask the tenant; without an answer, or with a key it does not take, the later ones say nothing."""
    tenant = Tenant(wire, Permit(routes=ROUTES))
    where = "the embedded sample, inside this process," if in_use.settings.sample else wire.origin
    found = [await tried("tenant", partial(reachable, tenant, where))]
    if found[-1].state != "ok":
        return found
    if in_use.profile.workspace_token:
        return [*found, await tried("credential", partial(own_token, tenant, *(in_use.profile.bound or ())))]
    key = await tried("credential", partial(credential, tenant))
    if in_use.settings.sample and key.state == "ok":
        key = replace(key, text="the embedded sample's own: it opens nothing else, and there is none to keep")
    return [*found, key] if key.state == "fail" else [*found, key, await tried("clock", partial(clock, tenant))]


async def tried(about: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    """A check whose failure is a finding."""
    try:
        return await check()
    except MoleculeError as error:
        return Finding(about, "fail", f"{error.message} {error.advice or ''}".strip())


def configured(found: InForce) -> Finding:
    """What is in force."""
    settings, profile = found.settings, found.profile
    origin = found.chosen.written.origin if found.chosen else None
    where = settings.api_url or origin or "the embedded sample tenant: nothing is configured, and nothing in it is real"
    bound = "" if profile.bound is None else f", bound to {len(profile.bound)} workspaces"
    role = "READ (read-only)" if settings.read_only else profile.role
    written = f"{profile.name} of {found.chosen.path}" if found.chosen else profile.name
    text = f"{where}; profile {written}, role {role}{bound}; state in {settings.state}"
    return Finding("settings", "note" if settings.sample and not origin else "ok", text)


async def reachable(tenant: Tenant, where: str) -> Finding:
    """Whether the tenant answers at all."""
    began = time.monotonic()
    await tenant.read("/health", Health)
    return Finding("tenant", "ok", f"{where} answers in {(time.monotonic() - began) * 1000:.0f} ms")


async def credential(tenant: Tenant) -> Finding:
    """Whether the key works, which it is, and what it may do."""
    try:
        own = await own_key(tenant)
    except TenantRefused as error:
        if error.status == 401:
            return Finding(
                "credential",
                "fail",
                "the tenant does not take the key: wrong, revoked, or of another tenant. Who holds a key makes another "
                "(docs/organization-keys.md)",
            )
        raise
    if own is None:
        return Finding("credential", "note", "the key works, and is not among the organization's keys: an admin token?")
    minted = f"minted {own.created_at[:10]} by {own.created_by or 'unknown'}"
    rights = "full rights over the organization, and it never expires"
    return Finding("credential", "ok", f"{own.prefix}... {own.name or 'without a label'}, {minted}; {rights}")


async def own_token(tenant: Tenant, workspace_id: str) -> Finding:
    """Whether a workspace's own token works, and how narrow the tenant keeps it.

    A tenant without an admin secret takes any workspace's token for an administrator's.
    """
    await tenant.read("/workspaces/{id}/tokens", dict[str, Any], id=workspace_id)
    try:
        await tenant.read("/org/tokens", dict[str, Any])
    except TenantRefused as error:
        if error.status == 401:
            return Finding("credential", "ok", f"the token of workspace {workspace_id}; the tenant bounds it to that")
        raise
    return Finding("credential", "fail", "the tenant takes this workspace token for an administrator's: it runs "
                   "without an admin secret, so only this server's profile bounds the token")  # fmt: skip


async def own_key(tenant: Tenant) -> Key | None:
    """The key in use, as the tenant lists it."""
    return next((key for key in await keys(tenant) if key.this_one), None)


async def clock(tenant: Tenant) -> Finding:
    """Whether both clocks agree: the tenant notes when our key was used, which is now."""
    own = await own_key(tenant)
    if own is None or own.last_used_at is None:
        return Finding("clock", "note", "cannot be compared with the tenant's")
    skew = time.time() - datetime.fromisoformat(own.last_used_at).timestamp()
    if abs(skew) > SKEW:
        return Finding("clock", "note", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the tenant's")
    return Finding("clock", "ok", "agrees with the tenant's")


def approval(settings: Settings) -> Finding:
    """Whether a person can allow calls of clients that cannot ask."""
    known = approver.public(settings.state)
    if known is None:
        text = "none: clients that cannot show a form cannot be allowed anything. A person runs: "
        return Finding("approver", "note", text + program.line("approver init", settings.state))
    return Finding("approver", "ok", f"{known.fingerprint}: compare it with what approver init showed")


def audit(settings: Settings) -> Finding:
    """Whether the audit verifies."""
    if not (settings.state / "state.db").exists():
        return Finding("audit", "ok", "empty: nothing was ever asked or sent from here")
    good, wrong = SqliteStore(settings.state).verify()
    return Finding("audit", "fail" if wrong else "ok", wrong or f"{good} records, the chain is whole")


def isolation(found: InForce) -> Finding:
    """How well the key is kept from the agent."""
    where = found.chosen.written.credential if found.chosen else None
    if where and where.kind in {"keyring", "command"}:
        return Finding("isolation", "note", f"grade B: the key comes from {where.kind}; what that gives to this user "
                       "it gives to an agent with a shell as well, unless it asks for a person's presence")  # fmt: skip
    if found.settings.sample:
        return Finding("isolation", "ok", "no key to keep")
    text = (
        "grade C: the key came in the environment or from a file, so any other program of this user (an agent with a "
        "shell, too) can read it and call the tenant without this server. Run the server as another user, or behind "
        "its HTTP door on another machine, to bind the agent"
    )
    return Finding("isolation", "note", text)
