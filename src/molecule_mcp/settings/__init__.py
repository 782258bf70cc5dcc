"""One frozen `Settings`, read once from the environment and the flags; nothing else reads the environment.

Every doubt stops the start with `ConfigurationError`: half a configuration, an empty value, a `${...}` that
the host left as it stood, a placeholder, an unknown name beginning with MOLECULE_MCP_. Error texts name the
variable or flag and the rule, never the value. Flags only tighten: one that asks for more than the
environment allows is an error, so that nobody trusts in a right that is not in force. No network, no disk.

Whoever loads settings from `os.environ` (the `cli` room) also pops `TOKEN` from it, and starts children with
`child_environment`. The kernel may show the start's environment to the same user: no promise covers that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, get_args

from platformdirs import user_config_path, user_state_path

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.settings.tenant import ORG_ID, TOKEN, URL, tenant
from molecule_mcp.settings.words import given, listed, one_of, unexpanded, widens, worded

__all__ = [
    "LOG_LEVELS", "ORG_ID", "OWN", "ROLES", "SECRET_PREFIX", "TOKEN", "URL", "Role", "Selection", "Settings",
    "child_environment", "unexpanded",
]  # fmt: skip

Role = Literal["READ", "WORKSPACE-WRITE", "ORG-ADMIN"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

ROLES: tuple[Role, ...] = get_args(Role)
"""Every role, the narrowest first."""
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)

SECRET_PREFIX = "MOLECULE_SECRET_"
"""Variables with this prefix hold secrets that a person lets tools pass on by reference."""
OWN_PREFIX = "MOLECULE_MCP_"
POLICY, PROFILE = f"{OWN_PREFIX}POLICY", f"{OWN_PREFIX}PROFILE"
OWN = {
    POLICY: "path of the file that holds the profiles; without it, policy.toml in the configuration folder",
    PROFILE: "name of the profile in force; without it, default",
    f"{OWN_PREFIX}ROLE": "READ, WORKSPACE-WRITE or ORG-ADMIN",
    f"{OWN_PREFIX}WORKSPACES": "ids of the only workspaces that may be touched, separated by commas",
    f"{OWN_PREFIX}READ_ONLY": "true or false",
    f"{OWN_PREFIX}ALLOW_WAIT": "seconds a call waits for a person's yes, 0 to 600",
    f"{OWN_PREFIX}DEADLINE": "seconds after which the tenant's answer is waited for no more, 1 to 300; only tightens",
    f"{OWN_PREFIX}TOOLSETS": "names of the only toolsets to offer, separated by commas; all offers every tool",
    f"{OWN_PREFIX}TOOLS": "names of tools to offer besides",
    f"{OWN_PREFIX}EXCLUDE_TOOLS": "names of tools to leave out",
    f"{OWN_PREFIX}STATE": "absolute path of the folder that holds everything durable",
    f"{OWN_PREFIX}LOG_LEVEL": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
}
"""Every setting of our own, and what it takes."""

LONGEST_WAIT = 600.0
LONGEST_DEADLINE = 300.0

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
        role: The widest thing this process may do; None: nothing was said about it.
        workspaces: Ids (lower case) of the only workspaces that may be touched; None means all.
        read_only: Nothing that changes anything may be sent.
        allow_wait: Seconds a call waits for a yes from outside the model's channel.
        deadline: Seconds that one exchange with the tenant may take at most; None: as long as its kind may.
        environment: The tools that the environment asks for; nothing widens them.
        flags: The tools that the command line asks for, within those.
        log_level: As `logging` names it.
        policy: The file of profiles that was named, absolute; None: none was.
        profile: Name of the profile in force, as shown in the audit.
    """

    state: Path
    config: Path
    api_url: str | None = None
    org_token: str | None = field(default=None, repr=False)
    org_id: str | None = None
    role: Role | None = None
    workspaces: frozenset[str] | None = None
    read_only: bool = False
    allow_wait: float = 45.0
    deadline: float | None = None
    environment: Selection = Selection()
    flags: Selection = Selection()
    log_level: LogLevel = "WARNING"
    policy: Path | None = None
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
        policy: str | Path | None = None,
        profile: str | None = None,
    ) -> Self:
        """Read the environment, then let the flags tighten it.

        Args:
            environ: The environment at the start.
            role, workspaces, allow_wait, toolsets, tools, exclude_tools, state, log_level, policy, profile: The text
                of that flag, or None; forms as of the variables, but `state` and `policy` may be relative to the
                current folder.
            read_only: Whether the flag was given; it cannot switch the variable off.
        Raises:
            ConfigurationError: The settings are incomplete, unknown, malformed, or a flag would widen them.
        """
        _refuse_unknown(environ)
        url, token, org_id = tenant(environ)
        folder, config = folders(environ, state)
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
            deadline=_deadline(environ),
            environment=_selection(*((name, given(environ, name)) for name in _SELECTS)),
            flags=_selection(("--toolsets", toolsets), ("--tools", tools), ("--exclude-tools", exclude_tools)),
            log_level=_log_level(environ, log_level),
            policy=policy_file(environ, policy),
            profile=profile_name(environ, profile),
        )


def policy_file(environ: Mapping[str, str], flag: str | Path | None) -> Path | None:
    """The file of profiles that is named, absolute; None when none is.

    Raises: ConfigurationError, also when the flag names another one than the environment.
    """
    set_to = given(environ, POLICY)
    named = None if set_to is None else _home(Path(set_to), POLICY)
    if named is not None and not named.is_absolute():
        raise ConfigurationError(
            f"{POLICY} is not an absolute path, and a host may start this process in any folder.",
            advice=f"Write the whole path into {POLICY}, from the root or from ~.",
        )
    asked = named if flag is None else _home(Path(worded("--policy", str(flag))), "--policy").absolute()
    if named is not None and asked != named:
        raise widens("--policy", POLICY)
    return asked


def profile_name(environ: Mapping[str, str], flag: str | None) -> str:
    """The name of the profile in force.

    Raises: ConfigurationError, also when the flag names another one than the environment.
    """
    named = given(environ, PROFILE)
    asked = named if flag is None else worded("--profile", flag)
    if named is not None and asked != named:
        raise widens("--profile", PROFILE)
    return Settings.profile if asked is None else asked


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: without the organization key and the secrets kept here."""
    kept = (name for name in environ if name != TOKEN and not name.startswith(SECRET_PREFIX))
    return {name: environ[name] for name in kept}


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """A misspelt setting must not leave the process wider open than its owner believes."""
    unknown = [name for name in environ if name.upper().startswith(OWN_PREFIX) and name not in OWN]
    if unknown:
        raise ConfigurationError(
            f"{ascii(min(unknown))[1:-1][:80]} is not a setting of molecule-mcp.",
            advice="Correct or remove it. Settings are: "
            + "; ".join(f"{name} ({takes})" for name, takes in OWN.items()),
        )


def folders(environ: Mapping[str, str], flag: str | Path | None) -> tuple[Path, Path]:
    """State and configuration: the platform's folders, or all below the one that a person names.

    Raises: ConfigurationError.
    """
    name = f"{OWN_PREFIX}STATE"
    set_to = given(environ, name)
    if flag is not None:
        state = _home(Path(worded("--state", str(flag))), "--state").absolute()
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


def _narrowed_role(environ: Mapping[str, str], flag: str | None) -> Role | None:
    name = f"{OWN_PREFIX}ROLE"
    widest = _role(name, given(environ, name))
    role = widest if flag is None else _role("--role", flag)
    if role and widest and ROLES.index(role) > ROLES.index(widest):
        raise widens("--role", name)
    return role


def _role(name: str, text: str | None) -> Role | None:
    if text is None:
        return None
    role: Role = one_of(name, text, ROLES)
    return role


def _workspaces(environ: Mapping[str, str], flag: str | None) -> frozenset[str] | None:
    name = f"{OWN_PREFIX}WORKSPACES"
    set_to = given(environ, name)
    bound = None if set_to is None else _workspace_ids(name, set_to)
    asked = bound if flag is None else _workspace_ids("--workspace", flag)
    if bound is not None and asked is not None and not asked <= bound:
        raise widens("--workspace", name)
    return asked


def _workspace_ids(name: str, text: str) -> frozenset[str]:
    ids = frozenset(listed(name, text.lower()))
    if not all(_UUID.fullmatch(each) for each in ids):
        raise ConfigurationError(
            f"{name} holds something that is not a workspace id.",
            advice="Write whole ids, as list_workspaces returns them, separated by commas"
            f"{', or --workspace once for each' if name.startswith('--') else ''}.",
        )
    return ids


def _selection(toolsets: _Said, tools: _Said, without: _Said) -> Selection:
    """What one place says about tools; each part is the name of a variable or flag and its text."""
    sets, single, less = (
        None if text is None else _tool_names(name, text) for name, text in (toolsets, tools, without)
    )
    return Selection(sets, single or (), less or ())


def _tool_names(name: str, text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(listed(name, text)))
    if not all(_NAME.fullmatch(each) for each in names):
        raise ConfigurationError(
            f"{name} holds something that is no name of a tool or toolset.",
            advice=f"Write names as `molecule-mcp tools` shows them into {name}, separated by commas.",
        )
    return names


def _read_only(environ: Mapping[str, str]) -> bool:
    name = f"{OWN_PREFIX}READ_ONLY"
    set_to = given(environ, name)
    return False if set_to is None else _SWITCH[one_of(name, set_to.lower(), tuple(_SWITCH))]


def _wait(environ: Mapping[str, str], flag: str | float | None) -> float:
    name = f"{OWN_PREFIX}ALLOW_WAIT" if flag is None else "--allow-wait"
    text = given(environ, name) if flag is None else worded(name, str(flag))
    return Settings.allow_wait if text is None else _seconds(name, text, 0, LONGEST_WAIT, 45)


def _deadline(environ: Mapping[str, str]) -> float | None:
    name = f"{OWN_PREFIX}DEADLINE"
    text = given(environ, name)
    return None if text is None else _seconds(name, text, 1, LONGEST_DEADLINE, 30)


def _seconds(name: str, text: str, least: float, most: float, example: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not least <= seconds <= most:
        raise ConfigurationError(
            f"{name} is not a number of seconds from {least:.0f} to {most:.0f}.",
            advice=f"Set {name} to {example}, for example.",
        )
    return seconds


def _log_level(environ: Mapping[str, str], flag: str | None) -> LogLevel:
    name = f"{OWN_PREFIX}LOG_LEVEL" if flag is None else "--log-level"
    text = given(environ, name) if flag is None else worded(name, flag)
    return Settings.log_level if text is None else one_of(name, text.upper(), LOG_LEVELS)
