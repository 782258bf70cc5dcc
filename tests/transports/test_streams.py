"""The protocol's descriptors are out of everybody's reach, whatever state the standard ones are in."""

import os
import stat
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.transports.streams import Private, private_stdio

CLOSED = 9_999
"""A descriptor that nobody opens."""


class Ends(NamedTuple):
    """Three pipes that play stdin, stdout and stderr, and their far ends."""

    stdin: int
    stdout: int
    stderr: int
    host_writes: int
    host_reads: int
    log_reads: int


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Fresh pipes, closed at the end as far as they still are open."""
    (stdin, host_writes), (host_reads, stdout), (log_reads, stderr) = os.pipe(), os.pipe(), os.pipe()
    made = Ends(stdin, stdout, stderr, host_writes, host_reads, log_reads)
    yield made
    for descriptor in made:
        closed(descriptor)


def closed(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return


def moved(ends: Ends) -> Private:
    return private_stdio(ends.stdin, ends.stdout, ends.stderr)


def test_the_private_descriptors_carry_the_protocol_and_are_not_inherited(ends: Ends) -> None:
    private = moved(ends)
    os.write(private.stdout, b"answer")
    os.write(ends.host_writes, b"question")
    assert os.read(ends.host_reads, 99) == b"answer"
    assert os.read(private.stdin, 99) == b"question"
    assert min(private.stdin, private.stdout) > 2
    assert not os.get_inheritable(private.stdin)
    assert not os.get_inheritable(private.stdout)


def test_what_is_printed_reaches_stderr_and_what_is_read_is_at_its_end(ends: Ends) -> None:
    moved(ends)
    os.write(ends.stdout, b"noise")
    os.write(ends.host_writes, b"question")
    assert os.read(ends.log_reads, 99) == b"noise"
    assert os.read(ends.stdin, 99) == b""


def test_without_stderr_what_is_printed_is_lost(ends: Ends) -> None:
    private_stdio(ends.stdin, ends.stdout, CLOSED)
    os.write(ends.stdout, b"noise")
    assert stat.S_ISCHR(os.fstat(ends.stdout).st_mode)


def test_a_closed_stream_is_told_as_such(ends: Ends) -> None:
    for stdin, stdout in ((CLOSED, ends.stdout), (ends.stdin, CLOSED)):
        with pytest.raises(ConfigurationError, match="nothing to serve on"):
            private_stdio(stdin, stdout, ends.stderr)


@contextmanager
def standard_error_closed() -> Generator[None]:
    kept = os.dup(2)
    os.close(2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_a_private_descriptor_never_takes_the_place_of_a_closed_standard_one(ends: Ends) -> None:
    """Else a library that writes to descriptor 2 would write into the protocol."""
    with standard_error_closed():
        private = moved(ends)
        with pytest.raises(OSError):
            os.fstat(2)
    assert min(private.stdin, private.stdout) > 2


def test_it_loads_nothing_of_the_sdk() -> None:
    """Ours: it runs before those imports, since they may print."""
    script = (
        "import sys, molecule_mcp.transports.streams; print([m for m in sys.modules if m.startswith(('mcp', 'anyio'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
