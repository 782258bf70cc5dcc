"""Path grammar: what may stand in each parameter of a path, and whether a final path belongs to its template.

The tenant accepts secrets named `..` and `a/b`, and clients and proxies fold dot segments, so a value formatted into a
path can walk to another route. Here every parameter has a grammar that leaves no room for that; names outside of it
exist on tenants and cannot be touched (docs/limits.md lists them and why). No value is ever named in an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, unquote

from molecule_mcp.errors import ArgumentError


@dataclass(frozen=True)
class Kind:
    """What may stand in a parameter.

    Args:
        form: Regular expression of a whole value.
        rule: The same in words, after "must be".
        slashes: Whether the value is several segments.
    """

    form: str
    rule: str
    slashes: bool = False


LETTERS = r"\w!$&'()*+,.:=@\[\]^{|}~\-"
"""Of free names, as a set: letters and digits of any script, and signs that no server or proxy reads as syntax."""

SIGNS = "letters, digits, blanks inside, and ! $ & ' ( ) * + , - . : = @ [ ] ^ _ { | } ~"

FREE = rf"(?!\.\.?(?:/|\Z))[{LETTERS}](?:[{LETTERS} ]{{0,253}}[{LETTERS}])?"
"""One segment of a free name: at most 255 characters, no blank at its ends, neither "." nor ".."."""

ID = Kind("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "a UUID")
SECRET = Kind("[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and _, not beginning with a digit, at most 128")
NAME = Kind(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}", "letters, digits, _ . and -, not beginning with . or -, at most 128")
LABEL = Kind(FREE, f"1 to 255 of {SIGNS}; neither . nor ..")
# Beside {wfid} stands the literal route "latest".
WORKFLOW = Kind(rf"(?!latest\Z){FREE}", f"{LABEL.rule} nor latest")
FILE = Kind(
    rf"(?=[^\n]{{1,1024}}\Z){FREE}(?:/{FREE}){{0,31}}",
    f"a relative path of at most 32 segments and 1024 characters: {SIGNS}; no segment may be . or ..",
    slashes=True,
)
PLATFORM = Kind("telegram|slack|lark|discord", "telegram, slack, lark or discord")

KINDS: Mapping[str, Kind] = {
    "id": ID,
    "approvalId": ID,
    "channelId": ID,
    "delegation_id": NAME,
    "memoryId": ID,
    "scheduleId": ID,
    "tokenId": ID,
    "workspaceId": ID,
    "key": SECRET,
    "name": NAME,
    "type": PLATFORM,
    "wfid": WORKFLOW,
    "path": FILE,
}
"""Parameter -> what may stand in it."""

OWN_KINDS: Mapping[tuple[str, str], Kind] = {("/workspaces/{id}/memory/{key}", "key"): LABEL}
"""Template and parameter -> what may stand in it there, where that is not the usual."""

PARAMETER = re.compile(r"\{(\w+)\}")


def kind(template: str, name: str) -> Kind:
    """What may stand in one parameter of a template."""
    return OWN_KINDS.get((template, name)) or KINDS[name]


@cache
def parameters_of(template: str) -> tuple[tuple[str, Kind, re.Pattern[str]], ...]:
    """The parameters of a template in their order: name, kind, and its compiled form."""
    kinds = [(name, kind(template, name)) for name in PARAMETER.findall(template)]
    return tuple((name, each, re.compile(each.form)) for name, each in kinds)


def fill(template: str, parameters: Mapping[str, str]) -> str:
    """The encoded path of a template.

    Args:
        parameters: A value for every parameter of the template and no other; ids in any case.
    Raises: ArgumentError naming the parameter and its rule, never the value.
    """
    wanted = parameters_of(template)
    if set(parameters) != {name for name, _, _ in wanted}:
        raise TypeError(f"{template} takes {', '.join(name for name, _, _ in wanted) or 'no parameters'}")
    path = template
    for name, each, form in wanted:
        value = parameters[name].lower() if each is ID else parameters[name]
        if not form.fullmatch(value):
            raise ArgumentError(f"{name} must be {each.rule}.", advice="Correct the argument; nothing was sent.")
        # A slash stays as it is: it stands only in a value that may be several segments.
        path = path.replace(f"{{{name}}}", quote(value))
    return path


@cache
def shape(template: str) -> re.Pattern[str]:
    """The form of a template's encoded paths, a group for each parameter by its name."""
    form = re.escape(template)
    for name, each, _ in parameters_of(template):
        form = form.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{'.+' if each.slashes else '[^/]+'})")
    return re.compile(form)


def match(template: str, raw_path: bytes) -> bool:
    """Whether a final, encoded path (without query) belongs to a template."""
    return taken(template, raw_path) is not None


def taken(template: str, raw_path: bytes) -> dict[str, str] | None:
    """The parameters of a final, encoded path (without query); None when it does not belong to a template.

    It does when what it decodes to is allowed there, and encodes to the very same bytes.
    """
    try:
        path = raw_path.decode("ascii")
        found = shape(template).fullmatch(path)
        if found is None:
            return None
        parameters = {name: unquote(value) for name, value in found.groupdict().items()}
        return parameters if fill(template, parameters) == path else None
    except (UnicodeDecodeError, ArgumentError):
        return None
