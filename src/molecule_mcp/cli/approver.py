"""`molecule-mcp approver`: set up who can allow calls when a client cannot ask."""

from argparse import Namespace

from molecule_mcp.cli import program, terminal
from molecule_mcp.cli.profile import state_of
from molecule_mcp.errors import ArgumentError, ConfigurationError
from molecule_mcp.store import approver


def run(arguments: Namespace) -> int:
    """Make the approver's key, or show its fingerprint."""
    folder = state_of(arguments)
    known = approver.public(folder)
    if arguments.action == "show":
        if known is None:
            raise ArgumentError("No approver is set up here.", advice=f"Run: {program.line('approver init', folder)}")
        print(f"approver {known.fingerprint} in {folder}")
        return 0
    if known is not None:
        raise ConfigurationError(
            f"There is an approver already: {known.fingerprint}",
            advice=f"To start anew, move approver.json and approver.key away from {folder}.",
        )
    first = terminal.passphrase(f"New passphrase (at least {approver.SHORTEST} characters): ")
    if terminal.passphrase("Again: ") != first:
        raise ArgumentError("The two passphrases differ; nothing was made.", advice="Run it again.")
    fingerprint = approver.init(folder, first)
    print(f"approver {fingerprint} in {folder}\nKeep the passphrase to yourself: whoever has it can allow anything.")
    return 0
