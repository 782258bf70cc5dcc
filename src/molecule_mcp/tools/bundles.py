"""Bundles: a workspace and everything below it, into a file and in again.

Contract: export_bundle (without a running container the config is some template's), import_bundle (201 with status
"failed" inside; always new roots). A bundle may hold credentials in its prompts, so it goes by file, not through the
conversation.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from molecule_mcp.capability import Fact, Family, Item, Own, Preview, Progress, Risk, Wait, quoted
from molecule_mcp.cleaning import clean
from molecule_mcp.errors import ArgumentError, TenantError, TenantRefused
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import EXTERNAL, shown
from molecule_mcp.tools.newcomers import TOLD_BYTES, Doubt, after_silence, refuse_in_doubt
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tables import fitting
from molecule_mcp.tools.texts import every_part, storable
from molecule_mcp.tools.workspaces import Row, counted

family = Family("bundles")

KIND = "bundle"
"""Of the files that hold bundles."""
CONFIG = "config.yaml"
MOST = 100
"""Workspaces of one import; nobody reads a longer list."""
INT32 = 2**31
NAME, RUNTIME = (re.compile(rf"^{key}:[ \t]*(.*?)[ \t]*$", re.MULTILINE) for key in ("name", "runtime"))
LOST = "secrets, memories, schedules, channels and plain files are not in a bundle"


class Skill(Answer):
    """A skill of a workspace: files by path."""

    id: str
    name: str = ""
    description: str = ""
    files: dict[str, str] | None = None


class Bundle(Answer):
    """A workspace and those below it (contract schema Bundle)."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: Annotated[str, Field(alias="schema")] = ""
    id: str = ""
    name: str = ""
    description: str = ""
    tier: Annotated[int, Field(ge=-INT32, lt=INT32)] = 0
    model: str = ""
    system_prompt: str = ""
    skills: list[Skill] | None = None
    tools: list[dict[str, Any]] | None = None
    prompts: dict[str, str] | None = None
    sub_workspaces: "list[Bundle] | None" = None
    agent_card: Any = None
    author: str = ""
    version: str = ""

    @property
    def config(self) -> str:
        """Its config.yaml, or ""."""
        return (self.prompts or {}).get(CONFIG, "")

    @property
    def of(self) -> str | None:
        """The name that its config says, None without a config."""
        found = NAME.search(self.config)
        return (found[1].strip("\"'") if found else "") if self.config else None

    def nodes(self) -> "Iterator[Bundle]":
        """This one and every one below it, parents first."""
        yield self
        for each in self.sub_workspaces or []:
            yield from each.nodes()


class Exported(Answer):
    """What was exported; config is own, template (of the same name), foreign (somebody else's), other_name or none."""

    workspaces: int
    columns: list[str]
    rows: list[list[Any]]
    file: Annotated[str, Field(description="Its name, for import_bundle.")]
    written_to: Annotated[str, Field(description="A file on the server's machine; only its user can read it.")]
    warning: str | None = None


class BundleMade(Answer):
    """What an import made, as read back; `failed` ones and those below them were not made."""

    state: Literal["made", "partly_failed"]
    columns: list[str]
    rows: list[list[Any]]
    failed: list[str] = Field(default_factory=list)
    note: str


class Outcome(Answer):
    """The tenant's answer for one workspace, and for those below it."""

    workspace_id: str
    name: Text = ""
    status: str
    error: Text = ""
    children: "list[Outcome]" = Field(default_factory=list["Outcome"])

    def nodes(self) -> "Iterator[Outcome]":
        """This one and every one below it, parents first."""
        yield self
        for each in self.children:
            yield from each.nodes()


def config_kind(node: Bundle, row: Row | None) -> str:
    """Whose config an exported workspace carries."""
    if node.of is None:
        return "none"
    if row and row.status in {"online", "degraded"} and row.runtime != EXTERNAL:
        return "own" if node.of == node.name else "other_name"
    return "template" if node.of == node.name else "foreign"


@family.tool(
    Risk.READ,
    sends=["GET /bundles/export/{id}", "GET /workspaces", "GET /workspaces/{id}"],
    title="Export a bundle",
)
async def export_bundle(tenant: Tenant, outputs: Outputs, workspace_id: WorkspaceId) -> Exported:
    """Write a workspace and all below it (prompts, config, skills) into a file for import_bundle.

    Secrets, memories, schedules and channels are not in it; one that does not run carries a template's config.
    """
    outputs.ready()
    bundle = await tenant.read("/bundles/export/{id}", Bundle, id=workspace_id)
    top = await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    rows = {row.id: row for row in [*await tenant.read("/workspaces", list[Row]), top]}
    nodes = [*bundle.nodes()]
    statuses = [rows[node.id].status if node.id in rows else "" for node in nodes]
    kinds = [config_kind(node, rows.get(node.id)) for node in nodes]
    skills = [len(node.skills or []) for node in nodes]
    table = zip((clean(node.name) for node in nodes), statuses, kinds, skills, strict=True)
    written = outputs.keep(KIND, workspace_id, bundle.model_dump_json(by_alias=True, exclude_unset=True))
    bad = sum(kind in {"foreign", "template"} for kind in kinds)
    return Exported(
        workspaces=len(nodes),
        columns=["name", "status", "config", "skills"],
        rows=fitting([list(each) for each in table], TOLD_BYTES),
        file=PurePath(written).name,
        written_to=written,
        warning=f"{bad} of {len(nodes)} do not run here, so their config, prompt and skills are a template's, not "
        "their own; export again while they are online." if bad else None,
    )  # fmt: skip


def checked(text: str) -> Bundle:
    """A bundle from its JSON.

    Raises: ArgumentError saying where it is none.
    """
    try:
        return Bundle.model_validate_json(text, extra="forbid")
    except ValidationError as error:
        known = {*Bundle.model_fields, *Skill.model_fields, "schema"}
        places = {
            ".".join(str(part) for part in detail["loc"] if isinstance(part, int) or part in known)
            for detail in error.errors(include_input=False, include_url=False, include_context=False)
        }
        raise ArgumentError(f"That is no bundle, at: {', '.join(sorted(places))[:200] or 'the top'}") from None


def chosen(outputs: Outputs, file: str, bundle: dict[str, Any] | None) -> Bundle:
    """The bundle of an import, from a file that export_bundle wrote or as it was given.

    Raises: ArgumentError unless exactly one is given, and it is a bundle that can be stored and shown.
    """
    if bool(file) == (bundle is not None):
        raise ArgumentError("Give either file or bundle.")
    found = checked(outputs.kept(KIND, file) if file else json.dumps(bundle))
    storable(bundle=found.model_dump())
    nodes = [*found.nodes()]
    if len(nodes) > MOST:
        raise ArgumentError(f"The bundle holds {len(nodes)} workspaces; at most {MOST} at once.")
    if not all(node.name for node in nodes):
        raise ArgumentError("A workspace of the bundle has no name.")
    return found


def sent(bundle: Bundle) -> dict[str, Any]:
    """A bundle as it is sent, and shown."""
    return bundle.model_dump(by_alias=True, exclude_unset=True)


def key(bundle: Bundle) -> str:
    """What no second import may be of while one is in doubt."""
    return f"bundle {bundle.name}"


def line(node: Bundle) -> Own:
    """One workspace of a bundle for a person's eyes."""
    runtime = RUNTIME.search(node.config)
    kind = quoted((runtime and runtime[1]) or "langgraph")
    foreign = f"; its config is of {quoted(node.of or '')}" if node.of not in {None, node.name} else ""
    return Own(f"{quoted(node.name)}, runtime {kind}, {counted(len(node.skills or []), 'skill')}{foreign}")


async def what_comes_in(
    tenant: Tenant, outputs: Outputs, file: str = "", bundle: dict[str, Any] | None = None
) -> Preview:
    """What an import makes, what of that name is there already, and the whole bundle."""
    found = chosen(outputs, file, bundle)
    await refuse_in_doubt(tenant, key(found))
    nodes = [*found.nodes()]
    names = {node.name for node in nodes}
    same = [row for row in await tenant.read("/workspaces", list[Row]) if row.name in names]
    return Preview(
        headline=Own(f"Import a bundle: make {counted(len(nodes), 'workspace')}"),
        facts=(
            Fact("Of these names are there already", tuple(shown(row) for row in same)),
            Fact("Makes", tuple(line(node) for node in nodes)),
            Fact("The whole bundle", every_part(sent(found))),
            Fact("Effect", Own(f"new workspaces start and may cost money, the first without a parent; {LOST}")),
            Fact("To undo it", Own("each new workspace is deleted; importing again makes a second set")),
        ),
        items=(Item({"file": file, "bundle": bundle}, {"same": sorted(row.id for row in same)}),),
        target=(found.name, ""),
        touches=frozenset(),
    )


@family.tool(
    Risk.CRITICAL,
    sends=["POST /bundles/import", "GET /workspaces"],
    title="Import a bundle",
    preview=what_comes_in,
    idempotent=False,
)
async def import_bundle(
    tenant: Tenant,
    outputs: Outputs,
    progress: Progress,
    wait: Wait,
    file: Annotated[str, Field(max_length=200, description="`file` of export_bundle.")] = "",
    bundle: Annotated[dict[str, Any] | None, Field(description="Or the bundle itself, without credentials.")] = None,
) -> BundleMade:
    """Make a new set of workspaces from a bundle, by file or whole.

    Secrets, schedules, channels and memories have to be added after it.
    """
    found = chosen(outputs, file, bundle)
    await refuse_in_doubt(tenant, key(found))
    before = frozenset(row.id for row in await tenant.read("/workspaces", list[Row]))
    try:
        made = await tenant.send("POST", "/bundles/import", Outcome, body=sent(found))
    except TenantError as error:
        if error.sent != "unknown":
            raise
        doubt = Doubt(before, sum(1 for _ in found.nodes()))
        rows = await after_silence(tenant, key(found), doubt, progress, wait, error)
        return told({row.id: row for row in rows}, [], "The answer was lost; these are new since before. ")
    failed = [each for each in made.nodes() if each.status == "failed"]
    if made.status == "failed":
        text = f"The tenant answered 201, and yet made nothing: {made.error[:200] or 'no reason given'}."
        raise TenantRefused(201, text, sent=True, advice="Correct the bundle.")
    with reading_back():
        listed = {row.id: row for row in await tenant.read("/workspaces", list[Row])}
    return told(
        {each.workspace_id: listed.get(each.workspace_id) for each in made.nodes() if each not in failed}, failed
    )


def told(rows: "dict[str, Row | None]", failed: list[Outcome], note: str = "") -> BundleMade:
    """The answer of an import."""
    cells = [[key, row.name if row else "", row.status if row else "not listed"] for key, row in rows.items()]
    return BundleMade(
        state="partly_failed" if failed else "made",
        columns=["id", "name", "status"],
        rows=fitting(cells, TOLD_BYTES),
        failed=[f"{each.name[:80]}: {each.error[:200]}" for each in failed],
        note=f"{note}They start in the background: poll get_workspace. Add again what a bundle lacks: secrets, "
        "schedules, channels, memories.",
    )
