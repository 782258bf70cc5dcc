"""One frozen `Settings`, read once from the environment and the flags; nothing else reads the environment.

Every doubt stops the start with `ConfigurationError`: half a configuration, an empty value, a `${...}` that
the host left as it stood, a placeholder, an unknown name beginning with MOLECULE_MCP_. Error texts name the
variable or flag and the rule, never the value. Flags only tighten: one that asks for more than the
environment allows is an error, so that nobody trusts in a right that is not in force. No network, no disk.

Whoever loads settings from `os.environ` (the `cli` room) also pops `TOKEN` from it, and starts children with
`child_environment`. The kernel may show the start's environment to the same user: no promise covers that.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeVar, get_args

from platformdirs import user_config_path, user_state_path

from molecule_mcp.errors import ConfigurationError

Role = Literal["READ", "WORKSPACE-WRITE", "ORG-ADMIN"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

Choice = TypeVar("Choice", bound=str)

ROLES: tuple[Role, ...] = get_args(Role)
"""Every role, the narrowest first."""
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)

URL, TOKEN, ORG_ID = "MOLECULE_API_URL", "MOLECULE_ORG_TOKEN", "MOLECULE_ORG_ID"
SECRET_PREFIX = "MOLECULE_SECRET_"
"""Variables with this prefix hold secrets that a person lets tools pass on by reference."""
OWN_PREFIX = "MOLECULE_MCP_"
OWN = {
    f"{OWN_PREFIX}ROLE": "READ, WORKSPACE-WRITE or ORG-ADMIN",
    f"{OWN_PREFIX}WORKSPACES": "ids of the only workspaces that may be touched, separated by commas",
    f"{OWN_PREFIX}READ_ONLY": "true or false",
    f"{OWN_PREFIX}ALLOW_WAIT": "seconds a call waits for a person's yes, 0 to 600",
    f"{OWN_PREFIX}TOOLSETS": "names of the only toolsets to offer, separated by commas; all offers every tool",
    f"{OWN_PREFIX}TOOLS": "names of tools to offer besides",
    f"{OWN_PREFIX}EXCLUDE_TOOLS": "names of tools to leave out",
    f"{OWN_PREFIX}STATE": "absolute path of the folder that holds everything durable",
    f"{OWN_PREFIX}LOG_LEVEL": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
}
"""Every setting of our own, and what it takes."""

SHORTEST_TOKEN = 6
LONGEST_WAIT = 600.0

_UNEXPANDED = re.compile(r"\$\{|^\$[A-Za-z_]\w*$|^%\w+%$|\{\{")
_PLACEHOLDER = re.compile(
    r"^<.*>$|^\[.*\]$|^(.)\1{2,}$|\.\.\.|\u2026|change[-_ ]?me|placeholder"
    r"|^(your|insert|paste|replace)[-_ ]|^(todo|token|secret|none|null|undefined)$",
    re.IGNORECASE,
)
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|(?=[^:/]{{1,253}}(?:[:/]|$)){_LABEL}(?:\.{_LABEL})*)"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
)
_USUAL_PORT = {"https": 443, "http": 80}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SELECTS = (f"{OWN_PREFIX}TOOLSETS", f"{OWN_PREFIX}TOOLS", f"{OWN_PREFIX}EXCLUDE_TOOLS")
_Said = tuple[str, str | None]
_SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


@dataclass(frozen=True)
class Selection:
    """The tools that were asked for; `toolsets.offered` knows which those are.

    Args:
        toolsets: Names of toolsets, in order; None: nothing was said.
        tools: Single tools besides.
        without: Single tools left out, whatever else was said.
    """

    toolsets: tuple[str, ...] | None = None
    tools: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def said(self) -> bool:
        """Whether anything was asked for."""
        return self.toolsets is not None or bool(self.tools)


@dataclass(frozen=True)
class Settings:
    """What is in force for this process.

    Args:
        state: Folder of everything durable; need not exist.
        config: Folder of the configuration; inside `state` when a person moved that.
        api_url: The tenant's origin, "https://host" or "https://host:port"; None means the embedded tenant.
        org_token: The organization key, never in a repr; set exactly when `api_url` is.
        org_id: Organization id that a hosted tenant wants in a header.
        role: The widest thing this process may do.
        workspaces: Ids (lower case) of the only workspaces that may be touched; None means all.
        read_only: Nothing that changes anything may be sent.
        allow_wait: Seconds a call waits for a yes from outside the model's channel.
        environment: The tools that the environment asks for; nothing widens them.
        flags: The tools that the command line asks for, within those.
        log_level: As `logging` names it.
        profile: Name shown in the audit.
    """

    state: Path
    config: Path
    api_url: str | None = None
    org_token: str | None = field(default=None, repr=False)
    org_id: str | None = None
    role: Role = "ORG-ADMIN"
    workspaces: frozenset[str] | None = None
    read_only: bool = False
    allow_wait: float = 45.0
    environment: Selection = Selection()
    flags: Selection = Selection()
    log_level: LogLevel = "WARNING"
    profile: str = "default"

    @property
    def sample(self) -> bool:
        """Whether nothing is configured, so that the embedded tenant with its sample organization answers."""
        return self.api_url is None

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str],
        *,
        role: str | None = None,
        workspaces: str | None = None,
        read_only: bool = False,
        allow_wait: str | float | None = None,
        toolsets: str | None = None,
        tools: str | None = None,
        exclude_tools: str | None = None,
        state: str | Path | None = None,
        log_level: str | None = None,
    ) -> Self:
        """Read the environment, then let the flags tighten it.

        Args:
            environ: The environment at the start.
            role, workspaces, allow_wait, toolsets, tools, exclude_tools, state, log_level: The text of that flag, or
                None; forms as of the variables, but `state` may be relative to the current folder.
            read_only: Whether the flag was given; it cannot switch the variable off.
        Raises:
            ConfigurationError: The settings are incomplete, unknown, malformed, or a flag would widen them.
        """
        _refuse_unknown(environ)
        url, token, org_id = _tenant(environ)
        folder, config = _folders(environ, state)
        return cls(
            state=folder,
            config=config,
            api_url=url,
            org_token=token,
            org_id=org_id,
            role=_narrowed_role(environ, role),
            workspaces=_workspaces(environ, workspaces),
            read_only=_read_only(environ) or read_only,
            allow_wait=_wait(environ, allow_wait),
            environment=_selection(*((name, _given(environ, name)) for name in _SELECTS)),
            flags=_selection(("--toolsets", toolsets), ("--tools", tools), ("--exclude-tools", exclude_tools)),
            log_level=_log_level(environ, log_level),
        )


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: without the organization key and the secrets kept here."""
    kept = (name for name in environ if name != TOKEN and not name.startswith(SECRET_PREFIX))
    return {name: environ[name] for name in kept}


def unexpanded(value: str) -> bool:
    """Whether a host passed on `${NAME}`, `$NAME`, `%NAME%` or `{{...}}` instead of a value."""
    return bool(_UNEXPANDED.search(value))


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """A misspelt setting must not leave the process wider open than its owner believes."""
    unknown = [name for name in environ if name.upper().startswith(OWN_PREFIX) and name not in OWN]
    if unknown:
        raise ConfigurationError(
            f"{ascii(min(unknown))[1:-1][:80]} is not a setting of molecule-mcp.",
            advice="Correct or remove it. Settings are: "
            + "; ".join(f"{name} ({takes})" for name, takes in OWN.items()),
        )


def _given(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name)
    return None if value is None else _text(name, value)


def _text(name: str, value: str) -> str:
    """The value, when it is one: not empty, not left unexpanded, of printable characters."""
    if not value.strip():
        raise ConfigurationError(f"{name} is empty.", advice=f"Give {name} a value, or remove it altogether.")
    if unexpanded(value):
        raise ConfigurationError(
            f"{name} holds the name of a variable instead of its value: the host did not expand it.",
            advice=f"Set that variable where the host is started, or write the value of {name} itself.",
        )
    if not value.isprintable() or value != value.strip():
        raise ConfigurationError(
            f"{name} holds control characters, or white space at an end.",
            advice=f"Set {name} again, without a line break, quotation marks or spaces around it.",
        )
    return value


def _tenant(environ: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    url, token, org_id = (_given(environ, name) for name in (URL, TOKEN, ORG_ID))
    if url is None and token is None and org_id is None:
        return None, None, None
    missing = [name for name, value in ((URL, url), (TOKEN, token)) if value is None]
    if url is None or token is None:
        present = [name for name in (URL, TOKEN, ORG_ID) if name in environ]
        raise ConfigurationError(
            f"Half a configuration: {' and '.join(present)} without {' and '.join(missing)}.",
            advice=f"Set {' and '.join(missing)} too, or none of them to try the sample organization.",
        )
    return _origin(url), _token(token), None if org_id is None else _org_id(org_id)


def _origin(url: str) -> str:
    """The origin of a tenant's URL, in its one normal form."""
    # Only ASCII: lower() folds some other letters into it, and an address must be what its reader sees.
    found = _URL.fullmatch(url.lower()) if url.isascii() else None
    if found is None:
        raise _bad_url("it must be https://HOST or https://HOST:PORT, with no user name, path, query or fragment")
    scheme, host, port = found["scheme"], found["host"], int(found["port"] or _USUAL_PORT[found["scheme"]])
    bare = host.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        address = None
    bracketed = isinstance(address, ipaddress.IPv6Address)
    if bracketed != host.startswith("[") or not 0 < port < 65536 or _PLACEHOLDER.search(bare):
        raise _bad_url("its host or port cannot be a real one")
    if scheme == "http" and not (host == "localhost" if address is None else address.is_loopback):
        raise _bad_url("http:// is only for a tenant on this machine")
    shown = f"[{address}]" if bracketed else host
    return f"{scheme}://{shown}" + ("" if port == _USUAL_PORT[scheme] else f":{port}")


def _bad_url(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{URL} is not the address of a tenant: {reason}.",
        advice=f"Set {URL} to scheme and host only, such as https://acme.example.com",
    )


def _token(token: str) -> str:
    if not token.isascii() or any(each.isspace() for each in token):
        raise ConfigurationError(
            f"{TOKEN} holds white space or characters that no key has.",
            advice=f"Set {TOKEN} to the bare key, without 'Bearer' and without quotation marks.",
        )
    if _PLACEHOLDER.search(token) or len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{TOKEN} looks like a placeholder, not like an organization key.",
            advice=f"Make a key on the tenant's page of organization keys and set {TOKEN} to it.",
        )
    return token


def _org_id(org_id: str) -> str:
    if _PLACEHOLDER.search(org_id) or not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", org_id):
        raise ConfigurationError(
            f"{ORG_ID} is not an organization id.",
            advice=f"Set {ORG_ID} to the id of a hosted organization; a self-hosted tenant needs none.",
        )
    return org_id


def _folders(environ: Mapping[str, str], flag: str | Path | None) -> tuple[Path, Path]:
    """State and configuration: the platform's folders, or all below the one that a person names."""
    name = f"{OWN_PREFIX}STATE"
    set_to = _given(environ, name)
    if flag is not None:
        state = _home(Path(_text("--state", str(flag))), "--state").absolute()
    elif set_to is None:
        return user_state_path("molecule-mcp"), user_config_path("molecule-mcp")
    else:
        state = _home(Path(set_to), name)
    if not state.is_absolute():
        raise ConfigurationError(
            f"{name} is not an absolute path, and a host may start this process in any folder.",
            advice=f"Write the whole path into {name}, from the root or from ~.",
        )
    return state, state / "config"


def _home(path: Path, name: str) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{name} names a home folder that cannot be found.", advice=f"Write the whole path into {name}."
        ) from None


def _narrowed_role(environ: Mapping[str, str], flag: str | None) -> Role:
    name = f"{OWN_PREFIX}ROLE"
    set_to = _given(environ, name)
    widest: Role = ROLES[-1] if set_to is None else _one_of(name, set_to, ROLES)
    role: Role = widest if flag is None else _one_of("--role", flag, ROLES)
    if ROLES.index(role) > ROLES.index(widest):
        raise _widens("--role", name)
    return role


def _workspaces(environ: Mapping[str, str], flag: str | None) -> frozenset[str] | None:
    name = f"{OWN_PREFIX}WORKSPACES"
    set_to = _given(environ, name)
    bound = None if set_to is None else _workspace_ids(name, set_to)
    asked = bound if flag is None else _workspace_ids("--workspaces", flag)
    if bound is not None and asked is not None and not asked <= bound:
        raise _widens("--workspaces", name)
    return asked


def _workspace_ids(name: str, text: str) -> frozenset[str]:
    ids = frozenset(_listed(name, text.lower()))
    if not all(_UUID.fullmatch(each) for each in ids):
        raise ConfigurationError(
            f"{name} holds something that is not a workspace id.",
            advice=f"Write whole ids, as list_workspaces returns them, into {name}, separated by commas.",
        )
    return ids


def _selection(toolsets: _Said, tools: _Said, without: _Said) -> Selection:
    """What one place says about tools; each part is the name of a variable or flag and its text."""
    sets, single, less = (
        None if text is None else _tool_names(name, text) for name, text in (toolsets, tools, without)
    )
    return Selection(sets, single or (), less or ())


def _tool_names(name: str, text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_listed(name, text)))
    if not all(_NAME.fullmatch(each) for each in names):
        raise ConfigurationError(
            f"{name} holds something that is no name of a tool or toolset.",
            advice=f"Write names as `molecule-mcp tools` shows them into {name}, separated by commas.",
        )
    return names


def _listed(name: str, text: str) -> list[str]:
    items = re.split(r"[,\s]+", _text(name, text).strip(","))
    return [each for each in items if each] or [""]


def _read_only(environ: Mapping[str, str]) -> bool:
    name = f"{OWN_PREFIX}READ_ONLY"
    set_to = _given(environ, name)
    return False if set_to is None else _SWITCH[_one_of(name, set_to.lower(), tuple(_SWITCH))]


def _wait(environ: Mapping[str, str], flag: str | float | None) -> float:
    name = f"{OWN_PREFIX}ALLOW_WAIT" if flag is None else "--allow-wait"
    text = _given(environ, name) if flag is None else _text(name, str(flag))
    if text is None:
        return Settings.allow_wait
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise ConfigurationError(
            f"{name} is not a number of seconds from 0 to {LONGEST_WAIT:.0f}.",
            advice=f"Set {name} to 45, for example.",
        )
    return seconds


def _log_level(environ: Mapping[str, str], flag: str | None) -> LogLevel:
    name = f"{OWN_PREFIX}LOG_LEVEL" if flag is None else "--log-level"
    text = _given(environ, name) if flag is None else _text(name, flag)
    return Settings.log_level if text is None else _one_of(name, text.upper(), LOG_LEVELS)


def _one_of(name: str, text: str, values: tuple[Choice, ...]) -> Choice:
    for each in values:
        if each == _text(name, text):
            return each
    raise ConfigurationError(f"{name} is not one of its values.", advice=f"Set {name} to one of {', '.join(values)}.")


def _widens(flag: str, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{flag} asks for more than {name} allows; flags only tighten.",
        advice=f"Narrow {flag}, or have {name} changed where the host sets it.",
    )
