"""Put a road together from the settings; loaded at the first call, so that a start stays quick."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from molecule_mcp import embedded, tools, toolsets
from molecule_mcp.capability import Capability
from molecule_mcp.cli import program
from molecule_mcp.cli.profile import InForce, offered
from molecule_mcp.gate import grants, policy
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.calls import Road
from molecule_mcp.road.context import Context
from molecule_mcp.secrets import Outputs, Secrets, Typed
from molecule_mcp.settings import Settings
from molecule_mcp.store import approver, files
from molecule_mcp.store.sqlite import SqliteStore
from molecule_mcp.tenant import Deadlines, Wire
from molecule_mcp.tenant.inprocess import InProcess

SAMPLE_ORIGIN = "http://127.0.0.1"
"""Origin of the embedded tenant in plans; no socket is opened."""


def road(found: InForce, redactor: Redactor, page: Callable[[], str | None] = lambda: None) -> Road:
    """The road of one process.

    Args:
        page: Address of the page that this process serves people, None when it serves none.
    Raises: ConfigurationError when a folder or key file cannot be used.
    """
    settings, profile = found.settings, found.profile
    known = offered(settings, toolsets.ALL)
    usable = [name for name, entry in known.items() if policy.refusal(profile, entry.ability) is None]
    store = SqliteStore(settings.state, redact=redactor.text)
    typed = Typed(settings.state / "typed", grants.code, page=page, how=program.line("page", settings.state))
    secrets = Secrets(settings.state / "secrets", dict(os.environ), redactor, typed)
    outputs = Outputs(settings.state / "outputs", redactor)
    # What earlier processes got from a person is as secret in this one.
    secrets.learn_files()
    outputs.learn_minted()
    return Road(
        Context(
            profile=profile,
            origin=settings.api_url or SAMPLE_ORIGIN,
            sample=settings.sample,
            wire=cache(partial(wire, settings, redactor)),
            store=cache(partial(recovered, store)),
            settler=store,
            keyed_digest=store.keyed_digest,
            approver=partial(approver_key, settings.state),
            secrets=secrets,
            outputs=outputs,
            redactor=redactor,
            find=partial(find, known),
            missing=partial(toolsets.missing, offered=usable, entries=entries()),
            allow_wait=settings.allow_wait,
            allow_line=program.line("allow", settings.state),
            approver_line=program.line("approver init", settings.state),
            runnable=partial(program.runnable, state=settings.state),
            page=page,
        )
    )


def recovered(store: SqliteStore) -> SqliteStore:
    """The store at its first use: what processes that are gone left open is unknown from now on, and never resent."""
    store.recover(time.time())
    return store


def approver_key(folder: Path) -> bytes | None:
    """The approver's public key, None when none is set up."""
    known = approver.public(folder)
    return known.key if known else None


def wire(settings: Settings, redactor: Redactor) -> Wire:
    """The connection: to the configured tenant, or to the embedded one in this process."""
    if settings.api_url and settings.org_token:
        deadlines = Deadlines().within(settings.deadline)
        return Wire(settings.api_url, settings.org_token, org_id=settings.org_id, deadlines=deadlines)
    files.own_folder(settings.state)
    database, kept = settings.state / "tenant.db", settings.state / "tenant.key"
    known = files.read(kept) if database.exists() else None
    app = embedded.build(embedded.Options(db=database, rate_limit=None))
    key = known.decode() if known else app.mint_org_key("molecule-mcp on this machine")
    if known is None:
        kept.unlink(missing_ok=True)  # of a database that is gone
        files.create(kept, key.encode())
    redactor.learn(key, "MOLECULE_ORG_TOKEN")
    return Wire(SAMPLE_ORIGIN, key, transport=InProcess(app), sample=True)


def find(known: Mapping[str, Entry], name: str) -> Capability | None:
    """A tool's record, from its family's module; None when it is not among the known."""
    return tools.family(known[name].family).get(name) if name in known else None
