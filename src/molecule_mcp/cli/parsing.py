"""The whole command line as argparse sees it: every command with its flags."""

from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from molecule_mcp import __version__
from molecule_mcp.cli.flags import BEFORE, OF_HTTP, SHARED, http_flags, profile_flags, tenant_flags, value_flag

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage] - argparse has no public name for it

    Commands = _SubParsersAction[ArgumentParser]

SHELLS = ("bash", "zsh", "fish")
"""Shells that `completion` knows."""

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


def parsed(argv: Sequence[str] | None = None) -> Namespace:
    """A command line, with every shared flag under its own name wherever it stood; None where it was not given.

    Exits with code 2 for a command line that is wrong, also when one flag stands both before and after the command:
    which of the two counts, a reader could not tell. So it does for a flag that would not count at all.
    """
    top = parser()
    given, more = top.parse_known_args(argv)
    if more and given.command == "call":
        top.exit(2, f"molecule-mcp call: {more[0]}: a tool's arguments are one JSON object: '{{\"limit\": 5}}'\n")
    if more:
        top.error(f"unrecognized arguments: {' '.join(more)}")
    for name in SHARED:
        before = vars(given).pop(BEFORE + name, None)
        if before is not None and hasattr(given, name):
            top.error(f"--{name.replace('_', '-')} stands before the command and after it: give it in one place")
        if before is not None or not hasattr(given, name):
            setattr(given, name, before)
    if given.command == "serve":
        complete_http(top, given)
    return given


def complete_http(top: ArgumentParser, given: Namespace) -> None:
    """Fill in what is usual for the HTTP doors; exits with code 2 where a flag of theirs stands without `--http`."""
    for name, usual in OF_HTTP.items():
        if getattr(given, name) is None:
            setattr(given, name, usual)
        elif not given.http:
            top.error(f"--{name.replace('_', '-')} needs --http: on stdio there is no address")


def parser() -> ArgumentParser:
    """The parser of the whole command line; `parsed` makes the most of what it finds."""
    top = ArgumentParser(
        prog="molecule-mcp",
        description="MCP server for a Molecule AI organization. Without a command: serve on stdio.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"molecule-mcp {__version__}")
    profile_flags(top, BEFORE)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for group in (serving_commands, tool_commands, checking_commands, people_commands):
        group(commands)
    return top


def serving_commands(commands: "Commands") -> None:
    """The commands that serve something, or show it being served."""
    serve = command(commands, "serve", "run the MCP server: on stdio (the default), or over HTTP")
    profile_flags(serve)
    http_flags(serve)
    demo = command(commands, "demo", "watch an agent's session on an embedded tenant, step by step")
    demo.add_argument("--ask", action="store_true", help="answer the questions yourself, on this terminal")
    tenant_flags(command(commands, "tenant", "serve the embedded tenant alone, on loopback"))


def tool_commands(commands: "Commands") -> None:
    """The commands about tools."""
    call = command(commands, "call", "call one tool, like a client that cannot be asked", own_help=True)
    call.add_argument("-h", "--help", action=ToolHelp, nargs=0, help="show this; after TOOL: what that tool takes")
    profile_flags(call)
    call.add_argument("tool", metavar="TOOL", help="the tool's name")
    call.add_argument("arguments", metavar="JSON", nargs="?", default="{}", help="its arguments as a JSON object")
    tools = command(commands, "tools", "list the tools")
    profile_flags(tools)
    json_flag(tools, "as JSON, with schemas and risks")


class ToolHelp(Action):
    """Help on the tool that was named before it; without one, on the command."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: Any, option_string: Any = None) -> None:
        """Note that help on the tool is wanted, or print the command's and exit."""
        if getattr(namespace, "tool", None) is None:
            parser.print_help()
            parser.exit()
        setattr(namespace, self.dest, True)


def checking_commands(commands: "Commands") -> None:
    """The commands that check what is set up."""
    what = "check settings, tenant, key, clock, approver, audit; say how well the key is kept"
    doctor = command(commands, "doctor", what)
    profile_flags(doctor)
    json_flag(doctor)
    policy_actions(command(commands, "policy", "profiles: check the policy file, explain a decision, resolve roots"))


def policy_actions(to: ArgumentParser) -> None:
    """The actions of `policy`, each with its flags."""
    actions = to.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    check = command(actions, "check", "read a policy file as a start would, and list its profiles")
    check.add_argument("file", metavar="FILE", nargs="?", help="the file (the usual one)")
    explain = command(actions, "explain", "which rule decides about a call, and what a person would be asked")
    explain.add_argument("tool", metavar="TOOL", help="the tool's name")
    explain.add_argument("arguments", metavar="JSON", nargs="?", help="its arguments; without them, whatever they are")
    refresh = command(actions, "refresh", "write the workspaces below a profile's roots into the policy file")
    refresh.add_argument("--dry-run", action="store_true", help="write nothing; exit code 1: it would change")
    value_flag(refresh, "--profile")
    for each in (check, refresh):
        value_flag(each, "--policy")
        value_flag(each, "--state")
    show = command(actions, "show", "what is in force with these flags, this environment and this file")
    for each in (explain, show):
        json_flag(each)
        profile_flags(each)


def people_commands(commands: "Commands") -> None:
    """The commands that a person decides, looks back and types with."""
    allow = command(commands, "allow", "show what a waiting call would do, and allow or refuse it")
    code = "the code the call answered; without one, list what waits"
    allow.add_argument("code", metavar="CODE", nargs="?", help=code)
    what = "serve the page for people: allow or refuse calls, type secrets, see minted keys once"
    page = command(commands, "page", what)
    page.add_argument("--port", type=int, default=8766, metavar="N", help="port on 127.0.0.1 (8766; 0: any)")
    approver = command(commands, "approver", "set up the person who can allow calls")
    approver.add_argument("action", choices=["init", "show"], help="init: make the key; show: its fingerprint")
    audit = command(commands, "audit", "what was asked, allowed and sent")
    actions = "show, check the chain, or write JSON lines"
    audit.add_argument("action", choices=["show", "verify", "export"], help=actions)
    audit.add_argument("--limit", type=int, default=50, metavar="N", help="show: the newest N records (50)")
    json_flag(audit, "show: as JSON lines")
    for each in (allow, page, approver, audit):
        value_flag(each, "--state")
    completion = command(commands, "completion", "print a script that lets a shell complete commands, flags and tools")
    completion.add_argument("shell", choices=SHELLS, help="the shell that loads it")


def command(commands: "Commands", name: str, what: str, own_help: bool = False) -> ArgumentParser:
    """Add one command.

    Args:
        own_help: It brings `--help` itself.
    """
    described = f"{what[0].upper()}{what[1:]}."
    return commands.add_parser(name, help=what, description=described, allow_abbrev=False, add_help=not own_help)


def json_flag(to: ArgumentParser, what: str = "as JSON") -> None:
    """Answer for programs."""
    to.add_argument("--json", action="store_true", help=what)
