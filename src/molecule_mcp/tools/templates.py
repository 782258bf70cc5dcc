"""Templates that workspaces are made from: listed, and made from a set of files.

Contract: list_templates (a folder without a readable config.yaml is left out), import_template. A bad path leaves what
was written before it, and then the name is taken; no route changes or deletes a template. So paths are checked here.
"""

import re
from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import LINE, Fact, Family, Item, Own, Preview, Risk, exactly
from molecule_mcp.cleaning import clean
from molecule_mcp.errors import ArgumentError, TenantError, TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.agent_code import FACT, brings_code, installed
from molecule_mcp.tools.kinds import Answer, Cursor, Limit, Text
from molecule_mcp.tools.lifecycle import shown
from molecule_mcp.tools.readback import reading_back
from molecule_mcp.tools.tables import Listing, listing
from molecule_mcp.tools.texts import cut, placed
from molecule_mcp.tools.workspaces import Row, counted

family = Family("templates")

CONFIG = "config.yaml"
MOST = 200
"""Files of one template."""
PART_BYTES = 255
"""Bytes of one part of a path, as file systems take it."""
COLUMNS = ("id", "name", "tier", "runtime", "model", "models", "required_env", "skills", "description")
LEFTOVERS = "Files may have been left, and then the name is taken for good: list_templates, or take another name."

Files = Annotated[
    dict[str, str],
    Field(min_length=1, max_length=MOST, description="Text by path, e.g. system-prompt.md, skills/NAME/SKILL.md."),
]


class Model(Answer):
    """A model that a template offers."""

    id: Text


class Template(Answer):
    """What we read of a template (contract schema WorkspaceTemplate)."""

    id: Text
    name: Text
    description: Text
    tier: int
    runtime: Text
    model: Text
    models: list[Model] | None = None
    required_env: list[Text] | None = None
    skills: list[Text] | None = None


class TemplateMade(Answer):
    """A new template."""

    id: Annotated[str, Field(description="Give it as `template` to create_workspace.")]
    listed: Annotated[bool, Field(description="False: its config.yaml cannot be read, so nobody finds it.")]


class Imported(Answer):
    """The tenant's answer."""

    id: str


@family.tool(Risk.READ, sends=["GET /templates"], title="List workspace templates")
async def list_templates(tenant: Tenant, limit: Limit = 50, cursor: Cursor = "") -> Listing:
    """List the templates that create_workspace takes: models, the secrets they need, skills."""
    rows = await tenant.read("/templates", list[Template])
    return listing(rows, limit, cursor, COLUMNS, cells)


def cells(row: Template) -> list[str | int]:
    """A template as a row."""
    models = " ".join(model.id for model in row.models or [])
    words = (" ".join(row.required_env or []), " ".join(row.skills or []), cut(row.description, LINE)[0])
    return [row.id, row.name, row.tier, row.runtime, row.model, models, *words]


def folder_name(name: str) -> str:
    """The folder that the tenant makes of a name."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower().replace(" ", "-")) or "unnamed"


def wrong(path: str) -> bool:
    """Whether a path could not be written, or would end a template half made."""
    parts = path.split("/")
    return (
        ".." in path
        or "\\" in path
        or clean(path) != path
        or any(part in {"", "."} or len(part.encode("utf-8", "surrogatepass")) > PART_BYTES for part in parts)
    )


def refuse_unwritable(files: dict[str, str]) -> None:
    """Raises: ArgumentError telling how many paths are no good; a path is a key of the caller's and is not repeated."""
    bad = sum(wrong(path) for path in files)
    if bad:
        raise ArgumentError(
            f"files has {bad} of {len(files)} paths that cannot be written",
            advice="Paths are relative, with / between parts, without .. and without invisible characters.",
        )
    folders = {path[: place.start()] for path in files for place in re.finditer("/", path)}
    if folders & files.keys():
        raise ArgumentError("files has a path that is both a file and a folder")


async def free_folder(tenant: Tenant, name: str) -> str:
    """The folder that a new template gets.

    Raises: ArgumentError when a listed template has it.
    """
    folder = folder_name(name)
    if any(row.id == folder for row in await tenant.read("/templates", list[Template])):
        raise ArgumentError(
            "a template of this folder name is there already, and none can be changed or deleted",
            advice="Take another name.",
            details={"id": folder},
        )
    return folder


async def what_is_made(tenant: Tenant, name: str, files: dict[str, str]) -> Preview:
    """What a new template holds, whose files it would stand for, and that it stays."""
    refuse_unwritable(files)
    folder = await free_folder(tenant, name)
    like = [row for row in await tenant.read("/workspaces", list[Row]) if row.name in {name, folder}]
    own = "" if CONFIG in files else "; the tenant writes a config.yaml for it: tier 3, a fixed model"
    return Preview(
        headline=Own(f"Make 1 workspace template of {counted(len(files), 'file')}, for good"),
        facts=(
            Fact("Name and folder", Own(f"{exactly(name)}, {exactly(folder)}")),
            Fact("Files", tuple(line for path, text in files.items() for line in placed(exactly(path), text))),
            *installed(files),
            Fact("Stands for the files of these while they do not run", tuple(shown(row) for row in like)),
            Fact("Effect", Own(f"everybody can make workspaces from it, and agents go by its texts{own}")),
            Fact("Cannot be undone", Own("no route changes or deletes a template; a failed import keeps the name too")),
        ),
        items=(Item({"name": name, "files": files}, {"folder": folder, "like": sorted(row.id for row in like)}),),
        target=(name, folder),
        touches=frozenset(row.id for row in like),
    )


@family.tool(
    Risk.DESTROY,
    sends=["POST /templates/import", "GET /templates", "GET /workspaces"],
    title="Import template",
    preview=what_is_made,
    raised_by_fact={FACT: Risk.CRITICAL},
    facts=brings_code,
    idempotent=False,
)
async def import_template(
    tenant: Tenant,
    name: Annotated[str, Field(min_length=1, max_length=100, description="Its name; the folder follows from it.")],
    files: Files,
) -> TemplateMade:
    """Make a template for new workspaces from texts, for good; a failed import leaves its name taken."""
    refuse_unwritable(files)
    await free_folder(tenant, name)
    try:
        made = await tenant.send("POST", "/templates/import", Imported, body={"name": name, "files": files})
    except TenantRefused as error:
        if error.status in {401, 403, 409, 429} or error.sent is False:
            raise
        # Unlike elsewhere, a refusal here may come after files were written.
        text = f"The tenant answered {error.status}; what was written before that stays."
        raise TenantRefused(error.status, text, sent="unknown", advice=LEFTOVERS, body=error.body) from error
    except TenantError as error:
        error.advice = LEFTOVERS
        raise
    with reading_back():
        rows = await tenant.read("/templates", list[Template])
    return TemplateMade(id=made.id, listed=any(row.id == made.id for row in rows))
