"""The boot console of a workspace's machine.

Contract: get_workspace_console; hosted tenants only, 501 elsewhere. Its text may hold values of the start, so what
looks like a secret is masked: by its name, by its form, or by its length.
"""

import re
from typing import Annotated

from pydantic import Field

from molecule_mcp.capability import Family, Risk
from molecule_mcp.errors import TenantRefused
from molecule_mcp.tenant import Tenant
from molecule_mcp.tools.kinds import Answer, Text, WorkspaceId
from molecule_mcp.tools.workspaces import Row

family = Family("config")

WITHIN = 200_000
"""Characters at the end of a console that are looked at."""
MASK = "[masked]"
NOT_HOSTED = "This tenant has no consoles: only hosted ones do."

SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
    r"|(?P<name>\b[\w.-]{0,40}(?:secret|token|passw(?:or)?d|api[_-]?key|access[_-]?key|private[_-]?key|credential)"
    r"[\w.-]{0,40}[\"']?\s{0,3}[=:]\s{0,3})(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,;\"']+)"
    r"|(?P<scheme>\b(?:bearer|basic) )[^\s,;\"']+"
    r"|(?P<user>://[^\s:/@]{0,80}:)[^\s/@]{1,200}(?=@)"
    r"|(?<![\w+/=-])(?!(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b)"
    r"(?=[A-Za-z+/_-]{0,200}[0-9])(?=[0-9+/_-]{0,200}[A-Za-z])[\w+/-]{32,}={0,2}",
    re.IGNORECASE | re.DOTALL,
)
"""A private key; a value after a telling name, a scheme or a user; a long run of letters and digits but a UUID."""


class Output(Answer):
    """What we read of a console."""

    output: str


class Console(Answer):
    """The end of a console."""

    text: Text
    masked: Annotated[int, Field(description="Places that may be secrets, masked.")]
    cut: Annotated[bool, Field(description="Something stood before it.")]


def masked(text: str) -> tuple[str, int]:
    """A text without what may be a secret, and how many places were masked."""

    def kept(found: re.Match[str]) -> str:
        return (found["name"] or found["scheme"] or found["user"] or "") + MASK

    return SECRET.subn(kept, text)


@family.tool(
    Risk.READ,
    sends=["GET /workspaces/{id}/console", "GET /workspaces/{id}"],
    title="Read a boot console",
    open_world=True,
)
async def get_workspace_console(
    tenant: Tenant,
    workspace_id: WorkspaceId,
    limit: Annotated[int, Field(ge=1, le=20_000, description="Characters of its end.")] = 4_000,
) -> Console:
    """Read the end of a workspace machine's boot console, secrets masked; hosted tenants only."""
    await tenant.read("/workspaces/{id}", Row, id=workspace_id)
    try:
        whole = (await tenant.read("/workspaces/{id}/console", Output, id=workspace_id)).output
    except TenantRefused as error:
        if error.status == 501:
            raise TenantRefused(501, NOT_HOSTED, advice="Call diagnose_workspace instead.") from error
        raise
    safe, count = masked(whole[-WITHIN:])
    return Console(text=safe[-limit:], masked=count, cut=len(whole) > WITHIN or len(safe) > limit)
