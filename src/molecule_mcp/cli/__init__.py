"""The command line: the composition root. Each command's module is loaded by name when it is the one that runs.

Exit codes: 0 done; 1 the command could not do it; 2 the settings or the command line are wrong.
"""

import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from molecule_mcp import __version__
from molecule_mcp.errors import ConfigurationError, MoleculeError

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage] - argparse has no public name for it

EPILOG = """environment:
  MOLECULE_API_URL      the tenant, https://...; with MOLECULE_ORG_TOKEN, or neither: then an embedded
                        sample tenant answers, so that everything can be tried
  MOLECULE_ORG_TOKEN    an organization key: full rights over the whole organization
  MOLECULE_ORG_ID       only for hosted tenants
  MOLECULE_MCP_*        POLICY, PROFILE, ROLE, WORKSPACES, READ_ONLY, TOOLSETS, TOOLS, EXCLUDE_TOOLS,
                        ALLOW_WAIT, STATE, LOG_LEVEL: as the flags of the same name;
                        DEADLINE: seconds to wait for the tenant at most
  MOLECULE_SECRET_*     secrets that tools may set by reference: value_from="env:MOLECULE_SECRET_NAME"
"""

WITH_A_VALUE = (
    ("--profile", "NAME", "the profile in force, of the policy file (default)"),
    ("--role", "ROLE", "READ, WORKSPACE-WRITE or ORG-ADMIN (the default)"),
    ("--toolsets", "NAMES", "offer these toolsets, separated by commas; or all, or default"),
    ("--tools", "NAMES", "offer these tools besides, separated by commas"),
    ("--exclude-tools", "NAMES", "never offer these tools, separated by commas"),
    ("--allow-wait", "SECONDS", "how long a call waits for a person (45)"),
    ("--log-level", "LEVEL", "DEBUG, INFO, WARNING (the default), ERROR; to stderr"),
)


def parser() -> ArgumentParser:
    """The whole command line."""
    top = ArgumentParser(
        prog="molecule-mcp",
        description="MCP server for a Molecule AI organization. Without a command: serve on stdio.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"molecule-mcp {__version__}")
    profile_flags(top, unsaid=None)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    serve = command(commands, "serve", "run the MCP server: on stdio (the default), or over HTTP")
    profile_flags(serve)
    http_flags(serve)
    demo = command(commands, "demo", "watch an agent's session on an embedded tenant, step by step")
    demo.add_argument("--ask", action="store_true", help="answer the questions yourself, on this terminal")
    tenant_flags(command(commands, "tenant", "serve the embedded tenant alone, on loopback"))
    call = command(commands, "call", "call one tool, like a client that cannot be asked")
    profile_flags(call)
    call.add_argument("tool", metavar="TOOL", help="the tool's name")
    call.add_argument("arguments", metavar="JSON", nargs="?", default="{}", help="its arguments as a JSON object")
    tools = command(commands, "tools", "list the tools")
    profile_flags(tools)
    tools.add_argument("--json", action="store_true", help="as JSON, with schemas and risks")
    doctor = command(
        commands, "doctor", "check settings, tenant, key, clock, approver, audit; say how well the key is kept"
    )
    profile_flags(doctor)
    doctor.add_argument("--json", action="store_true", help="as JSON")
    policy_actions(command(commands, "policy", "profiles: check the policy file, explain a decision, resolve roots"))
    allow = command(commands, "allow", "show what a waiting call would do, and allow or refuse it")
    allow.add_argument(
        "code", metavar="CODE", nargs="?", help="the code the call answered; without one, list what waits"
    )
    state_flag(allow)
    page = command(
        commands, "page", "serve the page for people: allow or refuse calls, type secrets, see minted keys once"
    )
    page.add_argument("--port", type=int, default=8766, metavar="N", help="port on 127.0.0.1 (8766; 0: any)")
    state_flag(page)
    approver = command(commands, "approver", "set up the person who can allow calls")
    approver.add_argument("action", choices=["init", "show"], help="init: make the key; show: its fingerprint")
    state_flag(approver)
    audit = command(commands, "audit", "what was asked, allowed and sent")
    audit.add_argument(
        "action", choices=["show", "verify", "export"], help="show, check the chain, or write JSON lines"
    )
    audit.add_argument("--limit", type=int, default=50, metavar="N", help="show: the newest N records (50)")
    state_flag(audit)
    return top


def policy_actions(to: ArgumentParser) -> None:
    """The actions of `policy`, each with its flags."""
    actions = to.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    check = command(actions, "check", "read a policy file as a start would, and list its profiles")
    check.add_argument("file", metavar="FILE", nargs="?", help="the file (the usual one)")
    policy_flag(check)
    state_flag(check)
    explain = command(actions, "explain", "which rule decides about a call, and what a person would be asked")
    explain.add_argument("tool", metavar="TOOL", help="the tool's name")
    explain.add_argument("arguments", metavar="JSON", nargs="?", help="its arguments; without them, whatever they are")
    refresh = command(actions, "refresh", "write the workspaces below a profile's roots into the policy file")
    refresh.add_argument("--profile", metavar="NAME", default=SUPPRESS, help="this profile only (all that have roots)")
    refresh.add_argument("--dry-run", action="store_true", help="write nothing; exit code 1: it would change")
    policy_flag(refresh)
    state_flag(refresh)
    show = command(actions, "show", "what is in force with these flags, this environment and this file")
    for each in (explain, show):
        each.add_argument("--json", action="store_true", help="as JSON")
        profile_flags(each)


def policy_flag(to: ArgumentParser, unsaid: str | None = SUPPRESS) -> None:
    """The file of profiles."""
    to.add_argument(
        "--policy", metavar="FILE", default=unsaid, help="the policy file (policy.toml in the configuration folder)"
    )


def command(commands: "_SubParsersAction[ArgumentParser]", name: str, what: str) -> ArgumentParser:
    """Add one command."""
    return commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", allow_abbrev=False)


def state_flag(to: ArgumentParser, unsaid: str | None = SUPPRESS) -> None:
    """The folder flag."""
    to.add_argument(
        "--state", metavar="DIR", default=unsaid, help="folder of everything durable (plans, audit, approver, secrets)"
    )


def profile_flags(to: ArgumentParser, unsaid: str | None = SUPPRESS) -> None:
    """The flags that tighten what a process may do; they can stand before a command and after it.

    argparse writes a command's defaults over what stood before the command, and `--read-only serve` would serve
    writes. So a command has no default for them: what is not given after it is left as it was.
    """
    policy_flag(to, unsaid)
    state_flag(to, unsaid)
    to.add_argument("--read-only", default=unsaid, action="store_true", help="send nothing that changes anything")
    only = "only this workspace may be touched (repeatable)"
    to.add_argument("--workspace", default=unsaid, action="append", metavar="ID", help=only)
    for name, metavar, what in WITH_A_VALUE:
        to.add_argument(name, default=unsaid, metavar=metavar, help=what)


def http_flags(to: ArgumentParser) -> None:
    """The flags of the HTTP doors."""
    to.add_argument(
        "--http", action="store_true", help="serve /mcp (Streamable HTTP) and /sse (legacy) instead of stdio"
    )
    to.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to bind (127.0.0.1)")
    to.add_argument("--port", type=int, default=8765, metavar="N", help="port to bind (8765)")
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr with what to do next."""
    arguments: Namespace = parser().parse_args(argv)
    name = arguments.command or "serve"
    try:
        return int(import_module(f"{__name__}.{name}").run(arguments))
    except MoleculeError as error:
        print(f"molecule-mcp: {error.message}", file=sys.stderr)
        if error.advice:
            print(f"  {error.advice}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what Python still holds must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
