"""The flags that commands share, and those of the commands that have many."""

from argparse import SUPPRESS, ArgumentParser

from molecule_mcp.settings import ROLES

BEFORE = "before_"
"""Leads the name of a flag that stands before the command, until `parsing.parsed` puts both together."""

WITH_A_VALUE = (
    ("--policy", "FILE", "the policy file (policy.toml in the configuration folder)"),
    ("--state", "DIR", "folder of everything durable (plans, audit, approver, secrets)"),
    ("--profile", "NAME", "the profile in force, of the policy file (default)"),
    ("--role", "ROLE", f"{ROLES[0]}, {ROLES[1]} or {ROLES[2]} (the default)"),
    ("--toolsets", "NAMES", "offer these toolsets, separated by commas; or all, or default"),
    ("--tools", "NAMES", "offer these tools besides, separated by commas"),
    ("--exclude-tools", "NAMES", "never offer these tools, separated by commas"),
    ("--allow-wait", "SECONDS", "how long a call waits for a person (45)"),
    ("--log-level", "LEVEL", "DEBUG, INFO, WARNING (the default), ERROR; to stderr"),
)
SWITCH = ("--read-only", "send nothing that changes anything")
REPEATED = ("--workspace", "ID", "only this workspace may be touched (repeatable)")

SHARED = tuple(name[2:].replace("-", "_") for name, *_ in (*WITH_A_VALUE, SWITCH, REPEATED))
"""The names under which the flags of `profile_flags` are found."""


def value_flag(to: ArgumentParser, wanted: str, before: str = "") -> None:
    """One flag of `WITH_A_VALUE`."""
    _, metavar, what = next(each for each in WITH_A_VALUE if each[0] == wanted)
    to.add_argument(wanted, default=SUPPRESS, dest=named(wanted, before), metavar=metavar, help=what)


def named(flag: str, before: str) -> str:
    """The name under which a flag is found."""
    return before + flag[2:].replace("-", "_")


def profile_flags(to: ArgumentParser, before: str = "") -> None:
    """The flags that tighten what a process may do; they can stand before a command or after it.

    Args:
        before: `BEFORE` for those before a command. Under one name argparse would write what stands after the command
            over what stands before it, and `--workspace A serve --workspace B` would keep only B, unsaid.
    """
    for name, *_ in WITH_A_VALUE:
        value_flag(to, name, before)
    switch, what = SWITCH
    to.add_argument(switch, default=SUPPRESS, dest=named(switch, before), action="store_true", help=what)
    repeated, metavar, what = REPEATED
    to.add_argument(
        repeated, default=SUPPRESS, dest=named(repeated, before), action="append", metavar=metavar, help=what
    )


OF_HTTP: dict[str, str | int | None] = {"host": "127.0.0.1", "port": 8765, "allowed_host": None, "bearer_file": None}
"""The flags that only the HTTP doors know, by the names under which they are found, with what counts without them."""


def http_flags(to: ArgumentParser) -> None:
    """The flags of the HTTP doors."""
    to.add_argument(
        "--http", action="store_true", help="serve /mcp (Streamable HTTP) and /sse (legacy) instead of stdio"
    )
    to.add_argument("--host", metavar="ADDRESS", help="address to bind (127.0.0.1)")
    to.add_argument("--port", type=int, metavar="N", help="port to bind (8765)")
    to.add_argument("--allowed-host", action="append", metavar="NAME", help="a host name it answers to (repeatable)")
    to.add_argument("--bearer-file", metavar="FILE", help="who may call: lines of NAME TOKEN (one is made without it)")


def tenant_flags(to: ArgumentParser) -> None:
    """The flags of the embedded tenant."""
    to.add_argument("--port", type=int, default=8080, metavar="N", help="port on 127.0.0.1 (8080; 0: any)")
    to.add_argument("--admin-token", metavar="T", help="the tenant's admin token")
    where = to.add_mutually_exclusive_group()
    where.add_argument("--db", metavar="FILE", help="SQLite file; an existing one is opened as it is")
    where.add_argument("--memory", action="store_true", help="keep nothing (the default)")
    to.add_argument("--empty", action="store_true", help="without the sample organization")
    to.add_argument("--org-id", metavar="ID", help="behave as a hosted tenant of this organization")
    to.add_argument("--steady", action="store_true", help="no simulated agents: nothing changes by itself")
    to.add_argument("--rate-limit", metavar="N|off", default="600", help="requests a minute and address (600)")
