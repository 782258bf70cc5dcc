"""Read multipart/form-data bodies."""

import re
from dataclasses import dataclass

from molecule_mcp.embedded.bodies import BadBody

BOUNDARY = re.compile(r'multipart/form-data;.*?boundary="?([^";]{1,70})"?', re.IGNORECASE)
PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One part: the field it is of, the file name if it is a file, its bytes."""

    name: str
    filename: str | None
    content: bytes


def parts(content_type: str, body: bytes) -> list[Part]:
    """Every part of a body, in order.

    Raises:
        BadBody: The header or the body is no multipart form.
    """
    found = BOUNDARY.match(content_type)
    if found is None:
        raise BadBody("not multipart")
    sections = (b"\r\n" + body).split(b"\r\n--" + found[1].encode())
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise BadBody("no end")
    return [_part(section) for section in sections[1:-1]]


def _part(section: bytes) -> Part:
    head, mark, content = section.partition(b"\r\n\r\n")
    if not mark or not head.startswith(b"\r\n"):
        raise BadBody("no part")
    headers = head.decode("utf-8", "replace")
    given = {name.lower(): re.sub(r"\\(.)", r"\1", value) for name, value in PARAMETER.findall(headers)}
    return Part(given.get("name", ""), given.get("filename"), content)
