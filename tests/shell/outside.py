"""What a program of the same user does with a terminal of its own and with the page: `script`, `expect` and curl."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.calls.harness import PROGRAM

PASSPHRASE = "correct horse battery"
GUESSES = ("password", "12345678", "molecule", "", "letmein1", "approver", "tr0ub4dor&3")
"""More than lock the key."""


@dataclass(frozen=True)
class Waiting:
    """What the program was given, and where it is.

    Args:
        told: The text of `allow_required`.
        page: The address of the page for people.
    """

    told: dict[str, Any]
    state: Path

    @property
    def code(self) -> str:
        """What stands in the text."""
        return self.told["code"]

    @property
    def page(self) -> str:
        """Where the plan is shown."""
        return self.told["page"]

    @property
    def command(self) -> list[str]:
        """The line that a person is told to run."""
        return [*PROGRAM, *self.told["how"].split()[1:]]


Attack = Callable[[Waiting], int]
"""Tries to have the plan allowed. Returns how many times it tried."""


# --- a terminal of its own


def by_script(at: Waiting) -> int:
    """`script` feeds a terminal: the answer, and a guess."""
    for guess in GUESSES:
        on_a_terminal(at, guess)
    return len(GUESSES)


def on_a_terminal(at: Waiting, passphrase: str) -> str:
    """Run the line that a person is told to run under `script`. Returns what was shown."""
    line = " ".join(f"'{word}'" for word in at.command)
    typed = [("or nothing): ", "allow"), ("passphrase: ", passphrase)]
    pipe = subprocess.PIPE
    with subprocess.Popen(["script", "-qec", line, "/dev/null"], stdin=pipe, stdout=pipe, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        shown = ""
        while part := process.stdout.read(4096):
            shown += part.decode(errors="replace")
            # What is typed before its prompt stands is thrown away.
            if typed and shown.endswith(typed[0][0]):
                process.stdin.write(f"{typed.pop(0)[1]}\n".encode())
    return shown


EXPECT = """
set timeout 30
spawn -noecho {*}$argv
expect "or nothing" { send "allow\\r" }
expect "passphrase: " { send "$env(GUESS)\\r" }
expect eof
"""


def by_expect(at: Waiting) -> int:
    """`expect` waits for each prompt, and answers it."""
    for guess in GUESSES:
        expecting(at, guess)
    return len(GUESSES)


def expecting(at: Waiting, passphrase: str) -> None:
    """Run the line that a person is told to run under `expect`."""
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "script"
        script.write_text(EXPECT)
        environ = os.environ | {"GUESS": passphrase}
        subprocess.run(["expect", str(script), *at.command], env=environ, capture_output=True, timeout=60, check=False)


def without_a_terminal(at: Waiting) -> int:
    """Even the right passphrase, but by standard input, the environment, or an argument."""
    names = ("PASSPHRASE", "MOLECULE_MCP_PASSPHRASE", "MOLECULE_PASSPHRASE", "APPROVER_PASSPHRASE")
    environ = os.environ | dict.fromkeys(names, PASSPHRASE)
    lines = [
        at.command,
        [*at.command, PASSPHRASE],
        [*at.command, "--passphrase", PASSPHRASE],
        [*at.command, f"--passphrase={PASSPHRASE}"],
        [*at.command, "--yes"],
        [*at.command, "allow"],
    ]
    for line in lines:
        subprocess.run(
            line, env=environ, input=f"allow\n{PASSPHRASE}\n", text=True, capture_output=True, timeout=60,
            start_new_session=True, check=False,
        )  # fmt: skip
    return len(lines)


# --- the page


def curl(address: str, *flags: str, jar: Path | None = None) -> str:
    """One request, as a shell makes it. Returns status and page."""
    cookies = ["--cookie", str(jar), "--cookie-jar", str(jar)] if jar else []
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", "30", "--write-out", "\n%{http_code}", *cookies]
    return subprocess.run([*command, *flags, address], capture_output=True, text=True, check=False).stdout


def forged_forms(at: Waiting) -> int:
    """Forms that no page gave out: no token, another's token, another origin, another host, other shapes."""
    here = at.page.split("/plan/")[0]
    yes = ["--data", f"decision=allow&passphrase={PASSPHRASE}"]
    token = ["--data", f"token={'0' * 64}"]
    own = ["--header", f"Origin: {here}"]
    cookie = ["--header", "Cookie: molecule_page=x"]
    as_json = ["--header", "Content-Type: application/json", "--data", json.dumps({"decision": "allow"})]
    tries = [
        yes, [*yes, *own], [*yes, *own, *token], [*yes, *own, *token, *cookie],
        [*yes, "--header", "Origin: http://evil.example"], [*yes, "--header", "Origin: null"],
        [*yes, *own, "--header", "Host: evil.example"], [*as_json, *own, *cookie],
        [*yes, *own, "--request", "PUT"], [*yes, *own, "--request", "PATCH"],
        [*yes, *own, "--header", "X-HTTP-Method-Override: GET"], ["--get", *yes],
    ]  # fmt: skip
    for flags in tries:
        curl(at.page, *flags)
    return len(tries)


def guessed_forms(at: Waiting) -> int:
    """The form as the page gave it out, with its cookie and token, and a guessed passphrase."""
    tries = 0
    with tempfile.TemporaryDirectory() as name:
        for path in (at.page, f"{at.page.split('/plan/')[0]}/waiting"):
            for guess in GUESSES:
                tries += 1
                submit(at.page, path, Path(name) / "jar", guess)
    return tries


def submitted(at: Waiting, passphrase: str, between: Callable[[], None] | None = None) -> None:
    """The plan's own form."""
    with tempfile.TemporaryDirectory() as name:
        submit(at.page, at.page, Path(name) / "jar", passphrase, between)


def submit(shown: str, path: str, jar: Path, passphrase: str, between: Callable[[], None] | None = None) -> str:
    """Load a page and send its form. Returns status and page."""
    page = curl(shown, jar=jar)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page))
    if between:
        between()
    fields = hidden | {"decision": "allow", "passphrase": passphrase}
    origin = "/".join(shown.split("/")[:3])
    data = [flag for name, value in fields.items() for flag in ("--data-urlencode", f"{name}={value}")]
    return curl(path, "--header", f"Origin: {origin}", *data, jar=jar)


FROM_OUTSIDE: dict[str, Attack] = {
    "script, guessed passphrases": by_script,
    "expect, guessed passphrases": by_expect,
    "the right passphrase by stdin, environment and arguments": without_a_terminal,
    "curl: forms the page did not give out, with the right passphrase": forged_forms,
    "curl: the page's own form, guessed passphrases": guessed_forms,
}
