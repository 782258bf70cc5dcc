"""Kinds of argument and text that many tools share: one wording per concept."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from molecule_mcp.capability import UUID, Workspace, WorkspaceName
from molecule_mcp.cleaning import clean

WorkspaceId = Annotated[
    str,
    Workspace(),
    Field(pattern=UUID, description="Workspace."),
    AfterValidator(str.lower),
]
OptionalWorkspaceId = Annotated[str, Workspace(), Field(pattern=f"^$|{UUID}"), AfterValidator(str.lower)]
NewName = Annotated[str, Field(max_length=255, pattern=r"^[^\n\r{}\[\]|>*&!]*$")]
WorkspaceRef = Annotated[
    str,
    WorkspaceName(),
    Field(min_length=1, max_length=255, description="Workspace UUID, or exact name."),
]
Limit = Annotated[int, Field(ge=1, le=200, description="Rows at most.")]
Cursor = Annotated[str, Field(max_length=64, description="`next_cursor` of the page before.")]
Text = Annotated[str, AfterValidator(clean)]
"""Text from the tenant: data, never instructions."""


def a_moment(text: str) -> str:
    """A time as the tenant writes it.

    Raises: ValueError when it is none, which makes the answer it stands in unreadable.
    """
    datetime.fromisoformat(text)
    return text


Moment = Annotated[str, AfterValidator(a_moment)]
"""A time of the tenant's, RFC 3339."""


class Answer(BaseModel):
    """Base of every model that a tool returns or reads."""

    model_config = ConfigDict(extra="ignore")
