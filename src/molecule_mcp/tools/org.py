"""Whole organizations from a template: listed, and imported to the end.

Contract: list_org_templates (lists org.yml templates too, which cannot be imported), import_org: purely additive, no
rollback, about 2 s per workspace; it goes on when the caller is gone, so a lost answer is read back, never sent again.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.capability import LINE, Fact, Family, Item, Own, Preview, Progress, Risk, Wait, exactly, quoted
from molecule_mcp.errors import ArgumentError, GateStop, TenantError, TenantRefused
from molecule_mcp.secrets import Secrets
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import org_inline as inline
from molecule_mcp.tools.concurrent import alongside
from molecule_mcp.tools.kinds import Answer, Cursor, Limit, Text
from molecule_mcp.tools.lifecycle import EXTERNAL, shown
from molecule_mcp.tools.newcomers import TOLD_BYTES, Doubt, after_silence, refuse_in_doubt, watch
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.secrets import Entry
from molecule_mcp.tools.tables import Listing, fitting, listing
from molecule_mcp.tools.texts import cut
from molecule_mcp.tools.workspaces import Row, counted

family = Family("org")

PACE = 3.0
"""Seconds between two looks at whether an import runs; the tenant takes two for each workspace."""
STARTS = 10
"""Looks at whether what was made has started."""
NEWEST = 5
"""Newest workspaces that a question shows."""

Requirement = Text | dict[str, list[Text]]


class OrgTemplate(Answer):
    """What we read of an organization template."""

    dir: Text
    name: Text
    description: Text
    workspaces: int
    required_env: list[Requirement]
    recommended_env: list[Requirement]

    @property
    def id(self) -> str:
        """Its folder."""
        return self.dir


class Skipped(Answer):
    """A channel that was not connected."""

    workspace: Text
    type: Text
    reason: Text


class Made(Answer):
    """A workspace that an import made."""

    id: str
    channels: list[Text] = Field(default_factory=list)
    channels_skipped: list[Skipped] = Field(default_factory=list[Skipped])


class Answered(Answer):
    """The tenant's answer; `error` when it stopped before the end."""

    org: Text
    workspaces: list[Made]
    error: Text = ""


class OrgMade(Answer):
    """What an import made, as read back; stopped: the tenant gave up at a bad workspace, and what is here stays."""

    state: Literal["made", "stopped"]
    error: str | None = None
    expected: int
    made: int
    statuses: dict[str, int]
    columns: list[str]
    rows: list[list[Any]]
    channels_skipped: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What is to be imported: its body, how many it makes, what it needs, and what a person is shown of it."""

    key: str
    name: str
    body: dict[str, Any]
    expected: int
    required: list[tuple[str, ...]]
    names: frozenset[str]
    facts: tuple[Fact, ...]


@family.tool(Risk.READ, sends=["GET /org/templates", "GET /settings/secrets"], title="List organization templates")
async def list_org_templates(tenant: Tenant, limit: Limit = 50, cursor: Cursor = "") -> Listing:
    """List the templates that import_org takes, what each needs, and what of that is missing."""
    rows = await tenant.read("/org/templates", list[OrgTemplate])
    there = await set_secrets(tenant)

    def cells(row: OrgTemplate) -> list[Any]:
        needs, wishes = (names(each) for each in (row.required_env, row.recommended_env))
        words = [written(needs), written(missing(needs, there)), written(wishes)]
        return [row.dir, row.name, row.workspaces, *words, cut(row.description, LINE)[0]]

    columns = ("directory", "name", "workspaces", "required_env", "missing_env", "recommended_env", "description")
    return listing(rows, limit, cursor, columns, cells)


def names(required: list[Requirement]) -> list[tuple[str, ...]]:
    """Requirements as alternatives: of each entry one name is enough."""
    return [(each,) if isinstance(each, str) else tuple(each.get("any_of", ())) for each in required]


def written(required: list[tuple[str, ...]]) -> str:
    """Requirements on one line: A, B or C."""
    return ", ".join(" or ".join(each) for each in required)


async def set_secrets(tenant: Tenant) -> set[str]:
    """The names of the global secrets; an import counts no others."""
    return {entry.key for entry in await tenant.read("/settings/secrets", list[Entry])}


def missing(required: list[tuple[str, ...]], there: set[str]) -> list[tuple[str, ...]]:
    """What no global secret answers."""
    return [each for each in required if not there & set(each)]


async def wanted(
    tenant: Tenant, secrets: Secrets, directory: str, template: dict[str, Any] | None, force: bool
) -> Wanted:
    """What the arguments ask for.

    Raises: ArgumentError when it is no template, or what it needs is missing and is not to be forced.
    """
    if bool(directory) == (template is not None):
        raise ArgumentError("Give either directory or template.")
    found = await of_folder(tenant, directory) if template is None else of_body(secrets, template)
    lacking = missing(found.required, await set_secrets(tenant))
    if lacking and not force:
        raise ArgumentError(
            "global secrets that the template needs are missing",
            advice="A person sets them with set_global_secret, or force=true makes the workspaces without them.",
            details={"missing": [" or ".join(each) for each in lacking]},
        )
    short = (Fact("Needed secrets that are missing", tuple(exactly(" or ".join(each)) for each in lacking)),)
    body = found.body | ({"force": True} if force else {})
    if force:
        short += (Fact("Made even so", Own("yes, also if more of them are missing by then")),)
    return Wanted(found.key, found.name, body, found.expected, found.required, found.names, (*short, *found.facts))


async def of_folder(tenant: Tenant, directory: str) -> Wanted:
    """A template of the tenant's.

    Raises: ArgumentError when none of that folder is listed.
    """
    rows = await tenant.read("/org/templates", list[OrgTemplate])
    row = next((row for row in rows if row.dir == directory), None)
    if row is None:
        raise ArgumentError(
            "directory is of no template that is listed; a broken one is left out there",
            details={"directories": [row.dir for row in rows]},
        )
    facts = (
        Fact("Template", Own(f"{quoted(row.name)} in {exactly(row.dir)}: {quoted(row.description, LINE)}")),
        Fact("Not known before", Own("names, prompts, plugins, mounts, schedules and channels in it: the tenant shows "
                                     "none of them; its .env files become secrets")),
    )  # fmt: skip
    body = {"dir": directory}
    own = frozenset({row.name, row.dir})
    return Wanted(f"org {directory}", row.name, body, row.workspaces, names(row.required_env), own, facts)


def of_body(secrets: Secrets, given: dict[str, Any]) -> Wanted:
    """A template that came with the call.

    Raises: ArgumentError when the tenant would not make it as it stands.
    """
    template = inline.checked(given)
    facts = inline.facts(template)  # before the references in it are resolved
    nodes = template.nodes
    return Wanted(
        f"org {template.name}",
        template.name,
        {"template": inline.body(template, secrets)},
        len(nodes),
        template.required,
        frozenset(node.name for node in nodes),
        facts,
    )


async def steady(tenant: Tenant, wait: Wait) -> list[Row]:
    """The workspaces, while nothing is making new ones.

    Raises: GateStop when one came between two looks: an import may be running.
    """
    first = {row.id for row in await tenant.read("/workspaces", list[Row])}
    await wait(PACE)
    rows = await tenant.read("/workspaces", list[Row])
    if {row.id for row in rows} - first:
        raise GateStop(
            "import_running",
            "New workspaces are appearing just now, as while an import runs; nothing was sent.",
            advice="Wait until list_workspaces stays the same. If it is an import of yours, it needs no second one.",
        )
    return rows


async def what_is_imported(
    tenant: Tenant,
    secrets: Secrets,
    wait: Wait,
    directory: str = "",
    template: dict[str, Any] | None = None,
    force: bool = False,
) -> Preview:
    """What an import makes, what it needs, and what looks like an earlier one."""
    found = await wanted(tenant, secrets, directory, template, force)
    await refuse_in_doubt(tenant, found.key)
    rows = await steady(tenant, wait)
    same = [row for row in rows if row.name in found.names]
    newest = rows[-NEWEST:]
    return Preview(
        headline=Own(f"Import an organization: make {counted(found.expected, 'workspace')}"),
        facts=(
            Fact("Of its names are there already", tuple(shown(row) for row in same)),
            Fact("The newest here, perhaps of an earlier import", tuple(shown(row) for row in reversed(newest))),
            *found.facts,
            Fact("Effect", Own("they start, run their schedules, connect their channels and may cost money; bot tokens "
                               "are stored unencrypted; external ones get no token")),
            Fact("Takes about", Own(f"{2 * found.expected} seconds, and cannot be stopped")),
            Fact("To undo it", Own("each new workspace is deleted by itself; importing again makes a second set")),
        ),
        items=(
            Item(
                {"directory": directory, "template": template, "force": force},
                {"template": found.name, "makes": found.expected, "needs": [list(each) for each in found.required],
                 "same": sorted(row.id for row in same), "newest": [row.id for row in newest]},
            ),
        ),
        target=(found.name, directory),
        touches=frozenset(),
    )  # fmt: skip


@family.tool(
    Risk.CRITICAL,
    sends=["POST /org/import", "GET /org/templates", "GET /settings/secrets", "GET /workspaces"],
    title="Import org",
    preview=what_is_imported,
    idempotent=False,
    open_world=True,
)
async def import_org(
    tenant: Tenant,
    secrets: Secrets,
    progress: Progress,
    wait: Wait,
    directory: Annotated[str, Field(max_length=255, description="As list_org_templates gives it.")] = "",
    template: Annotated[
        dict[str, Any] | None, Field(description="Or a template; channel secrets by reference.")
    ] = None,
    force: Annotated[bool, Field(description="Even if secrets it needs are missing.")] = False,
) -> OrgMade:
    """Make a new set of all of a template's workspaces, followed to the end (about 2 s each).

    Never repeat it after a lost answer: what is there tells how far it came.
    """
    found = await wanted(tenant, secrets, directory, template, force)
    await refuse_in_doubt(tenant, found.key)
    before = frozenset(row.id for row in await tenant.read("/workspaces", list[Row]))

    async def watching() -> None:
        await watch(tenant, before, found.expected, progress, wait)

    try:
        told = await alongside(watching, tenant.send("POST", "/org/import", Answered, body=found.body))
    except TenantError as error:
        if error.sent != "unknown":
            raise
        rows = await after_silence(tenant, found.key, Doubt(before, found.expected), progress, wait, error)
        lost = Answered(org=found.name, workspaces=[Made(id=row.id) for row in rows])
        return await ended(tenant, found, lost, progress, wait, ["Its answer was lost; these are new since before."])
    if told.error and not told.workspaces:
        text = f"The tenant stopped at the first workspace and made nothing: {told.error[:300]}."
        raise TenantRefused(207, text, sent=True, advice="Correct the template.")
    return await ended(tenant, found, told, progress, wait, [])


async def ended(
    tenant: Tenant, found: Wanted, told: Answered, progress: Progress, wait: Wait, notes: list[str]
) -> OrgMade:
    """What was made, once it has started or taken its time."""
    with reading_back():
        rows = await started(tenant, [each.id for each in told.workspaces], progress, wait)
    outside = [row.id for row in rows if row.runtime == EXTERNAL]
    if outside:
        notes.append(f"External, online without any agent, and without a token (create_workspace_token): {outside}")
    if any(each.channels for each in told.workspaces):
        notes.append("Channels are connected; their bot tokens are stored unencrypted.")
    if len(told.workspaces) > len(rows):
        notes.append(f"{len(told.workspaces) - len(rows)} that the tenant names are not in its list.")
    notes.append("Schedules, prompts and plugins that were bad are left out without a word: list_schedules tells.")
    return OrgMade(
        state="stopped" if told.error else "made",
        error=told.error[:300] or None,
        expected=found.expected,
        made=len(rows),
        statuses=dict(Counter(row.status for row in rows)),
        columns=["id", "name", "status"],
        rows=fitting([[row.id, row.name, row.status] for row in rows], TOLD_BYTES),
        channels_skipped=[
            f"{one.workspace[:80]}: {one.type[:40]}, {one.reason[:120]}"
            for each in told.workspaces
            for one in each.channels_skipped
        ][:50],
        notes=notes,
    )


async def started(tenant: Tenant, made: list[str], progress: Progress, wait: Wait) -> list[Row]:
    """The new workspaces as they are once none of them is starting any more, or after some looks."""
    own: list[Row] = []
    for look in range(STARTS):
        rows = {row.id: row for row in await tenant.read("/workspaces", list[Row])}
        own = [rows[each] for each in made if each in rows]
        waiting = sum(row.status == "provisioning" for row in own)
        await progress(len(own) - waiting, len(own), f"{len(own) - waiting} of {len(own)} have started or failed")
        if not waiting or look == STARTS - 1:
            break
        await wait(PACE)
    return own
