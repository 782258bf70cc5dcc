"""Kinds of argument and text that many tools share: one wording per concept."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from molecule_mcp.capability import UUID, Workspace, WorkspaceName

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that steer a terminal or hide text: controls, format characters (bidi, zero-width, tags)."""

UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing (fillers, variation selectors), which can carry text past a person's eyes."""


def clean(text: str) -> str:
    """Text of agents and outsiders without control, bidi and invisible characters; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    seen = UNSEEN.sub("", text)
    return "".join(each for each in seen if each in "\n\t" or unicodedata.category(each) not in HIDDEN)


def clean_data(value: Any) -> Any:
    """`clean` over everything in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_data(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {clean(str(name)): clean_data(each) for name, each in value.items()}  # pyright: ignore
    return value


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
