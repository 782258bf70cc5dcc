"""Run the program on a terminal of its own, and type into it as a person would."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from select import select

from tests.calls.harness import PROGRAM

TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)

SILENCE = 60
"""Seconds without a word after which a program waits for an answer that is not coming."""


def on_terminal(arguments: list[str], *typed: tuple[str, str | Callable[[], str]]) -> tuple[int, str]:
    """Run `molecule-mcp ARGUMENTS`, answer each prompt in turn; what is typed may be made up when its prompt stands.

    Returns: the exit code and all that was shown.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *PROGRAM, *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, answered = "", 0
    waiting = list(typed)
    try:
        while True:
            if not select([ours], [], [], SILENCE)[0]:
                process.kill()
                raise AssertionError(f"it asked for something else, and waits: {shown}")
            try:
                shown += os.read(ours, 4096).decode()
            except OSError:  # the other end is closed: the program is gone
                break
            # A prompt that is shown again is another one than that which was answered.
            if waiting and shown[answered:].rstrip().endswith(waiting[0][0].rstrip()):
                answered = len(shown)
                _, text = waiting.pop(0)
                os.write(ours, f"{text if isinstance(text, str) else text()}\n".encode())
    finally:
        os.close(ours)
    return process.wait(timeout=30), shown


def allow(state: Path, code: str, answer: str, passphrase: str, *, prompt: str) -> tuple[int, str]:
    """`molecule-mcp allow CODE`, answered."""
    typed = ((prompt, answer), ("Approver's passphrase:", passphrase))
    return on_terminal(["allow", code, "--state", str(state)], *typed)
