"""Instructions: rules that enter the system prompt of every agent, or of one.

Contract: list_instructions, create_instruction (takes misspelt workspaces and duplicates), update_instruction (takes
empty texts, ignores a scope), delete_instruction, resolve_instructions (answers any id; equal priorities come in no
defined order).
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from molecule_mcp.capability import Fact, Family, Item, Own, Past, Preview, Risk, lines, quoted
from molecule_mcp.cleaning import clean_data
from molecule_mcp.errors import ArgumentError, GateStop, TenantError, TenantUnreadable
from molecule_mcp.secrets import Outputs
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools import formers
from molecule_mcp.tools.kinds import UUID, Answer, Cursor, Limit, OptionalWorkspaceId, Text, WorkspaceId
from molecule_mcp.tools.lifecycle import one
from molecule_mcp.tools.tables import paged
from molecule_mcp.tools.texts import cut, nothing_given, storable, within_bytes
from molecule_mcp.tools.workspaces import Row

family = Family("instructions")

LIST = "GET /instructions"
BEGINNING, MERGED = 300, 20_000
"""Characters of a content in a list, and of a merged text."""
TITLE, CONTENT = 200, 8192
"""Bytes, though the tenant's refusals say chars."""
INT32 = 2**31

InstructionId = Annotated[str, Field(pattern=UUID, description="`id` from list_instructions.")]
Priority = Field(ge=-INT32, lt=INT32, description="Higher comes first.")


class Stored(Answer):
    """What we read of an instruction (contract schema Instruction)."""

    id: str
    scope: str
    scope_target: Text | None = None
    title: Text
    content: Text
    priority: int
    enabled: bool


class Exact(Stored):
    """The same with its texts as they stand, for what is compared, kept and shown to a person."""

    title: str
    content: str


class Instruction(Stored):
    """One instruction; cut: content is only its beginning."""

    cut: bool | None = None


class Instructions(Answer):
    """A page of instructions by scope, priority and age."""

    total: int
    instructions: list[Instruction]
    next_cursor: str | None = None


class Made(Answer):
    """A new instruction, as read back."""

    id: str
    scope: str
    priority: int
    same_priority: Annotated[int, Field(description="Others beside it; their order is undefined.")]


class Changed(Answer):
    """What was changed, from and to, as read back."""

    id: str
    before: dict[str, Any]
    after: dict[str, Any]
    former_file: str | None = None


class InstructionGone(Answer):
    """An instruction that was deleted, and what it said."""

    id: str
    gone: bool
    title: Text
    content: Text


class Resolved(Answer):
    """The merged text, as the agent's prompt gets it."""

    instructions: Text
    cut: bool | None = None


class New(Answer):
    """What we read of the answer to a create."""

    id: str


async def everything(tenant: Tenant) -> list[Exact]:
    """All instructions, disabled ones too."""
    return await tenant.read("/instructions", list[Exact])


async def read_back(tenant: Tenant, instruction_id: str) -> list[Exact]:
    """All instructions after a change that the tenant accepted.

    Raises: TenantUnreadable with `sent` true and the id when they cannot be read.
    """
    try:
        return await everything(tenant)
    except TenantError as error:
        raise TenantUnreadable(
            f"The tenant accepted it; reading back failed: {error.message}", sent=True, details={"id": instruction_id}
        ) from error


async def instruction_of(tenant: Tenant, instruction_id: str) -> Exact:
    """One instruction; no route reads a single one.

    Raises: ArgumentError when there is none of that id.
    """
    found = next((each for each in await everything(tenant) if each.id == instruction_id.lower()), None)
    if found is None:
        raise ArgumentError("instruction_id is of no instruction", advice="list_instructions shows them.")
    return found


async def is_global(tenant: Tenant, instruction_id: str, **_: Any) -> dict[str, bool]:
    """Live fact: whether the instruction is every agent's."""
    return {"global_scope": (await instruction_of(tenant, instruction_id)).scope != "workspace"}


async def reached(tenant: Tenant, scope: str, target: str) -> tuple[Own, frozenset[str]]:
    """Whose prompt an instruction enters: a line for a person, and the workspaces' ids."""
    rows = await tenant.read("/workspaces", list[Row])
    if scope == "workspace":
        names = [row.name for row in rows if row.id == target]
        return Own(f"{quoted(names[0]) if names else 'no present workspace'}, {quoted(target)}"), frozenset({target})
    return Own(f"every agent of {len(rows)} workspaces, and later ones"), frozenset(row.id for row in rows)


@family.tool(Risk.READ, sends=[LIST, "GET /workspaces/{id}"], title="List instructions")
async def list_instructions(
    tenant: Tenant,
    scope: Annotated[Literal["any", "global", "workspace"], Field(description="Only this scope.")] = "any",
    applies_to: Annotated[OptionalWorkspaceId, Field(description="Workspace UUID: only what it gets.")] = "",
    whole: Annotated[bool, Field(description="Full contents, not their beginnings.")] = False,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Instructions:
    """List the rules that agents get in their prompts, highest priority first; disabled ones too."""
    query: dict[str, str] = {}
    if applies_to:
        await tenant.read("/workspaces/{id}", Row, id=applies_to)  # the tenant answers for ids it never issued
        query = {"workspace_id": applies_to}
    rows = await tenant.read("/instructions", list[Stored], query=query or None)
    kept = [row for row in rows if scope in ("any", row.scope)]

    def told(row: Stored) -> Instruction:
        content, short = (row.content, None) if whole else cut(row.content, BEGINNING)
        return Instruction.model_validate({**row.model_dump(), "content": content, "cut": short})

    page = paged(kept, limit, cursor, told)
    return Instructions(total=len(kept), instructions=page.rows, next_cursor=page.next_cursor)


@family.tool(
    Risk.READ,
    sends=["GET /workspaces/{id}/instructions/resolve", "GET /workspaces/{id}"],
    title="Read a workspace's merged instructions",
)
async def resolve_instructions(tenant: Tenant, workspace_id: WorkspaceId) -> Resolved:
    """Read the instructions of one workspace as the one text that its agent gets."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)  # the tenant answers for ids it never issued
    merged = await tenant.read("/workspaces/{id}/instructions/resolve", Resolved, id=workspace_id)
    text, short = cut(merged.instructions, MERGED)
    return Resolved(instructions=text, cut=short)


async def new_one(tenant: Tenant, scope: str, title: str, content: str, scope_target: str) -> None:
    """Check what shall be created.

    Raises: ArgumentError for what the tenant refuses or would never use; GateStop when it is there already.
    """
    storable(title=title, content=content)
    within_bytes(TITLE, title=title)
    within_bytes(CONTENT, content=content)
    if (scope == "workspace") != bool(scope_target):
        raise ArgumentError("scope_target goes with scope workspace, and only with it")
    if scope_target:
        await one(tenant, scope_target)
    for each in await everything(tenant):
        if (each.scope, each.title, each.content) == (scope, title, content) and (
            scope == "global" or each.scope_target == scope_target
        ):
            state = "there already" if each.enabled else "there already, disabled"
            raise GateStop(
                "nothing_to_do",
                f"The same instruction is {state}; nothing was sent.",
                advice="update_instruction changes or enables it.",
                details={"id": each.id},
            )


async def what_is_ruled(
    tenant: Tenant, scope: str, title: str, content: str, scope_target: str = "", priority: int = 0
) -> Preview:
    """What a new instruction says, and to whom."""
    await new_one(tenant, scope, title, content, scope_target)
    whom, touches = await reached(tenant, scope, scope_target)
    given = {"scope": scope, "title": title, "content": content, "scope_target": scope_target, "priority": priority}
    return Preview(
        headline=Own(f"Create 1 {scope} instruction"),
        facts=(
            Fact("Title", quoted(title, TITLE)),
            Fact("Text", lines(content)),
            Fact("Priority", priority),
            Fact("Enters the prompt of", whom),
            Fact("Effect", Own("agents go by it from when they next fetch it, until it is disabled or deleted")),
        ),
        items=(Item(given),),
        target=(title, ""),
        touches=touches,
    )


@family.tool(
    Risk.DISRUPT,
    sends=["POST /instructions", LIST, "GET /workspaces/{id}", "GET /workspaces"],
    title="Create an instruction",
    preview=what_is_ruled,
    raised_by={"scope": {"global": Risk.CRITICAL}},
    idempotent=False,
)
async def create_instruction(
    tenant: Tenant,
    scope: Annotated[Literal["workspace", "global"], Field(description="One agent, or all.")],
    title: Annotated[str, Field(min_length=1, max_length=TITLE, description="Its heading.")],
    content: Annotated[str, Field(min_length=1, max_length=CONTENT, description="The rule, Markdown.")],
    scope_target: Annotated[OptionalWorkspaceId, Field(description="Workspace UUID, for scope workspace.")] = "",
    priority: Annotated[int, Priority] = 0,
) -> Made:
    """Add a rule to the system prompt of one agent or of all, enabled at once."""
    await new_one(tenant, scope, title, content, scope_target)
    body = {"scope": scope, "title": title, "content": content, "priority": priority}
    body |= {"scope_target": scope_target} if scope_target else {}
    made = await tenant.send("POST", "/instructions", New, body=body)
    rows = await read_back(tenant, made.id)
    own = next((row for row in rows if row.id == made.id), None)
    if own is None:
        raise TenantUnreadable("The tenant accepted it, but does not list it.", sent=True, details={"id": made.id})
    beside = [row for row in rows if (row.scope, row.scope_target) == (own.scope, own.scope_target) and row.enabled]
    ties = sum(row.priority == own.priority for row in beside if row.id != own.id)
    return Made(id=own.id, scope=own.scope, priority=own.priority, same_priority=ties)


async def planned(
    tenant: Tenant, instruction_id: str, title: str, content: str, priority: int | None, enabled: bool | None
) -> tuple[Exact, dict[str, Any]]:
    """An instruction, and the fields that shall become different.

    Raises: ArgumentError for texts that do not fit, or none given; GateStop when nothing would change.
    """
    storable(title=title, content=content)
    within_bytes(TITLE, title=title)
    within_bytes(CONTENT, content=content)
    before = await instruction_of(tenant, instruction_id)
    given = {"title": title or None, "content": content or None, "priority": priority, "enabled": enabled}
    if set(given.values()) == {None}:
        raise nothing_given(*given)
    body = {name: value for name, value in given.items() if value not in (None, getattr(before, name))}
    if not body:
        raise GateStop("nothing_to_do", "Nothing would be different; nothing was sent.")
    return before, body


async def what_is_rewritten(
    tenant: Tenant,
    instruction_id: str,
    title: str = "",
    content: str = "",
    priority: int | None = None,
    enabled: bool | None = None,
) -> Preview:
    """What an instruction says now and after, and to whom."""
    before, body = await planned(tenant, instruction_id, title, content, priority, enabled)
    whom, touches = await reached(tenant, before.scope, before.scope_target or "")
    given = {"title": title, "content": content, "priority": priority, "enabled": enabled}
    texts = [
        Fact(f"{when} {name}", lines(str(value)))
        for name, after in body.items()
        for when, value in (("Former", getattr(before, name)), ("New", after))
    ]
    return Preview(
        headline=Own("Change 1 instruction"),
        facts=(
            Fact("Instruction", Own(f"{quoted(before.title, TITLE)} {before.id}")),
            Fact("Stands in the prompt of", whom),
            *texts,
            Fact("Effect", Own("agents go by it from when they next fetch it")),
        ),
        items=(
            Item(
                {"instruction_id": instruction_id, **given},
                {name: getattr(before, name) for name in ("scope", "scope_target", "title", "content")},
            ),
        ),
        target=(before.title, before.id),
        touches=touches,
    )


@family.tool(
    Risk.DISRUPT,
    sends=["PUT /instructions/{id}", LIST, "GET /workspaces"],
    title="Update instruction",
    preview=what_is_rewritten,
    raised_by_fact={"global_scope": Risk.CRITICAL},
    facts=is_global,
)
async def update_instruction(
    tenant: Tenant,
    outputs: Outputs,
    instruction_id: InstructionId,
    title: Annotated[str, Field(max_length=TITLE, description="Empty keeps it.")] = "",
    content: Annotated[str, Field(max_length=CONTENT, description="Empty keeps it.")] = "",
    priority: Annotated[int | None, Priority] = None,
    enabled: Annotated[bool | None, Field(description="false takes it out of the prompt.")] = None,
) -> Changed:
    """Change a rule's text or priority, or switch it; a former text is kept in a file."""
    before, body = await planned(tenant, instruction_id, title, content, priority, enabled)
    former = {name: getattr(before, name) for name in body}
    where = formers.keep(outputs, before.id, {"content": before.content} if content else {}, body)
    with formers.naming(where, before={name: value for name, value in former.items() if name != "content"}):
        await tenant.send("PUT", "/instructions/{id}", dict[str, Any], id=instruction_id, body=body)
        after = next((row for row in await read_back(tenant, before.id) if row.id == before.id), None)
        if after is None:
            raise TenantUnreadable("The tenant accepted it, but no longer lists the instruction.", sent=True)
    return Changed(
        id=before.id,
        before=clean_data(former),
        after=clean_data({name: getattr(after, name) for name in body}),
        former_file=where,
    )


async def what_is_unruled(tenant: Tenant, instruction_id: str) -> Preview:
    """What a deleted instruction said, and to whom."""
    before = await instruction_of(tenant, instruction_id)
    whom, touches = await reached(tenant, before.scope, before.scope_target or "")
    return Preview(
        headline=Own("Delete 1 instruction"),
        facts=(
            Fact("Instruction", Own(f"{quoted(before.title, TITLE)} {before.id}")),
            Fact("Text", lines(before.content)),
            Fact("Leaves the prompt of", whom),
            Fact("Cannot be undone", Own("it is gone for good; disabling it would keep it")),
        ),
        items=(
            Item(
                {"instruction_id": instruction_id},
                {name: getattr(before, name) for name in ("scope", "scope_target", "title", "content")},
            ),
        ),
        target=(before.title, before.id),
        touches=touches,
    )


async def is_deleted(tenant: Tenant, past: Past) -> bool:
    """Whether an instruction is gone."""
    return all(row.id != past.parameters["id"] for row in await everything(tenant))


@family.tool(
    Risk.DESTROY,
    sends=["DELETE /instructions/{id}", LIST, "GET /workspaces"],
    title="Delete an instruction",
    preview=what_is_unruled,
    settle=is_deleted,
    raised_by_fact={"global_scope": Risk.CRITICAL},
    facts=is_global,
)
async def delete_instruction(tenant: Tenant, instruction_id: InstructionId) -> InstructionGone:
    """Delete a rule for good; to pause it, update_instruction with enabled=false."""
    before = await instruction_of(tenant, instruction_id)
    await tenant.send("DELETE", "/instructions/{id}", dict[str, Any], id=instruction_id)
    left = await read_back(tenant, before.id)
    gone = all(row.id != before.id for row in left)
    return InstructionGone(id=before.id, gone=gone, title=before.title, content=before.content)
