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
    fingerprint = approver.init(folder, chosen())
    print(f"approver {fingerprint} in {folder}\nKeep the passphrase to yourself: whoever has it can allow anything.")
    return 0


def chosen() -> str:
    """A new passphrase, asked for until it is long enough and came twice; nothing at all ends it.

    Raises: ArgumentError, ConfigurationError.
    """
    while first := terminal.passphrase(f"New passphrase (at least {approver.SHORTEST} characters): "):
        if len(first) < approver.SHORTEST:
            print("That is too short; once more, or nothing to stop.")
        elif terminal.passphrase("Again: ") != first:
            print("The two differ; once more, or nothing to stop.")
        else:
            return first
    raise ArgumentError("No passphrase was given; nothing was made.", advice="Run it again.")
