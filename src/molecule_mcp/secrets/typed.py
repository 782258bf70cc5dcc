"""Secrets that a person types on the page: asked for by one call, good for that call only, gone once it was sent.

A request is a file `CODE.json`, its value `CODE.value`, a no `CODE.declined`, all 0600 in a folder of mode 0700 that no
reference reads; processes that share the state folder share them. One caller asks for one value at a time, and after
two noes to calls of one tool for none until the first of them is half an hour old. A value is bound to principal,
profile, tenant, tool and arguments, so nothing else can be done with it; the yes to the call, which shows where the
value goes, is still asked for.
"""

import json
import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

from molecule_mcp.errors import ArgumentError, GateStop, StoreError
from molecule_mcp.secrets import private

FILL = 600.0
"""Seconds in which a request can be filled."""
LASTS = 1200.0
"""Seconds after which request and value are deleted: time to type, then as long as a plan lives."""
RESTS = 1800.0
"""Seconds for which a no is kept."""
NOES = 2
"""Of so many to one tool nobody is asked any more."""

DRAFTS = 60.0
"""Seconds after which a file that nobody finished writing is deleted."""

Kind = Literal["value", "declined", "json"]
KINDS: tuple[Kind, ...] = ("value", "declined", "json")
"""Endings of the files of one request, in the order they are deleted."""

State = Literal["open", "filled", "declined"]


@dataclass(frozen=True)
class Purpose:
    """The call that is under way.

    Args:
        binding: Tells this call from every other (hex); made only when a secret is asked for.
        tenant: As a person reads it.
    """

    binding: Callable[[], str]
    tool: str
    principal: str
    profile: str
    tenant: str


@dataclass(frozen=True)
class Wanted:
    """A value that is asked for; `created` in seconds since the epoch."""

    code: str
    name: str
    binding: str
    tool: str
    principal: str
    profile: str
    tenant: str
    created: float


logger = logging.getLogger(__name__)

_PURPOSE: ContextVar[Purpose | None] = ContextVar("purpose", default=None)


@contextmanager
def asked_by(purpose: Purpose) -> Generator[None]:
    """While this lasts, what is asked for is asked for by this call; a call inside of another is part of that."""
    token = _PURPOSE.set(_PURPOSE.get() or purpose)
    try:
        yield
    finally:
        _PURPOSE.reset(token)


class Typed:
    """The requests and values of one state folder.

    Args:
        folder: Made with mode 0700 at the first request.
        code: Draws what a person can type to find a request, "7F3K-92QD".
        page: Address of the page that this process serves, None when it serves none.
        how: The command that serves the page.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        folder: Path,
        code: Callable[[], str],
        *,
        page: Callable[[], str | None] = lambda: None,
        how: str = "molecule-mcp page",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._code = code
        self._page = page
        self._how = how
        self._clock = clock
        self._broken: frozenset[str] = frozenset()

    def value(self, name: str) -> str:
        """The value that a person typed for the call under way.

        Raises: GateStop `secret_required` until one did, with where to type it; `question_open` while another value
            is asked for, `cooling_off` after two noes.
        """
        purpose = _PURPOSE.get()
        if purpose is None or not private.POSIX:
            raise ArgumentError("Here no page can ask a person for a secret.", advice="Use another kind of reference.")
        with _faults():
            binding = purpose.binding()
            kept = self._kept()
            asked = [each for each in kept if (each.binding, each.name) == (binding, name)]
            for each in asked:
                if self._state(each) == "filled":
                    return self._value(each)
            wanted = next((each for each in asked if self._state(each) == "open"), None)
            if wanted is None:
                self._hinder(purpose, [each for each in kept if each.principal == purpose.principal])
                wanted = self._ask(purpose, binding, name)
        raise self._required(wanted)

    def wanted(self, code: str) -> tuple[Wanted, State] | None:
        """What is asked for under a code, or None when nothing is, any more.

        Args:
            code: Upper case, with or without its dash.
        Raises: StoreError, also when the file of this code cannot be read.
        """
        with _faults():
            for each in self._kept():
                if each.code.replace("-", "") == code.replace("-", ""):
                    state = self._state(each)
                    return (each, state) if state else None
        if (name := self._file(code, "json").name) in self._broken:
            raise StoreError(f"What was asked for under this code cannot be read: {name} is damaged or not private.")
        return None

    def fill(self, wanted: Wanted, value: str) -> bool:
        """Keep a value until its call is made. False: there is one already.

        Raises: ArgumentError for an empty or oversized value; StoreError.
        """
        data = value.encode()
        if not 0 < len(data) <= private.LARGEST:
            raise ArgumentError(f"A value has 1 to {private.LARGEST} bytes.")
        with _faults():
            return private.create(self._file(wanted.code, "value"), data)

    def decline(self, wanted: Wanted) -> bool:
        """Keep that the person does not want to type it. False: there is a value, or a no, already.

        Raises: StoreError.
        """
        with _faults():
            return self._state(wanted) == "open" and private.create(self._file(wanted.code, "declined"), b"no")

    def withdraw(self, code: str) -> None:
        """Delete a request that nobody has answered: its call has ended.

        Raises: StoreError.
        """
        with _faults():
            for each in self._kept():
                if each.code == code and self._state(each) == "open":
                    self._drop(code)

    def forget(self, binding: str) -> None:
        """Delete what was typed for a call: it was made."""
        with _faults():
            for each in self._kept():
                if each.binding == binding and self._state(each) != "declined":
                    self._drop(each.code)

    def _ask(self, purpose: Purpose, binding: str, name: str) -> Wanted:
        wanted = Wanted(
            self._code(), name, binding, purpose.tool, purpose.principal, purpose.profile, purpose.tenant, self._clock()
        )
        private.create(self._file(wanted.code, "json"), json.dumps(asdict(wanted)).encode())
        return wanted

    def _hinder(self, purpose: Purpose, kept: list[Wanted]) -> None:
        """Raises: GateStop when the person is asked for another value, or has said no often enough.

        Args:
            kept: What the same principal asked for.
        """
        noes = [each.created + RESTS for each in kept if each.tool == purpose.tool and self._state(each) == "declined"]
        if len(noes) >= NOES:
            left = int(noes[-NOES] - self._clock()) + 1
            raise GateStop(
                "cooling_off",
                f"A person declined to type secrets for this tool; nobody is asked for another {left} s, and nothing "
                "was sent.",
                advice="Look for no other way to it; tell the person what you wanted, and let them decide.",
                details={"seconds": left},
            )
        for each in (each for each in kept if self._state(each) == "open"):
            raise GateStop(
                "question_open",
                f"The person is asked for another secret, page:{each.name}, code {each.code}; nothing was sent.",
                advice="Have that one typed first, or declined on its page; several secrets are one run_plan.",
                details={"seconds": int(each.created + FILL - self._clock()) + 1, "how": self._how},
            )

    def _state(self, wanted: Wanted) -> State | None:
        """What became of a request, None when its time is over."""
        if self._file(wanted.code, "value").exists():
            return "filled"
        if self._file(wanted.code, "declined").exists():
            return "declined"
        return "open" if wanted.created + FILL > self._clock() else None

    def _required(self, wanted: Wanted) -> GateStop:
        base = self._page()
        where = {"page": f"{base}/secret/{wanted.code}"} if base else {}
        return GateStop(
            "secret_required",
            f"A person has to type the secret page:{wanted.name} on this server's page; nothing was sent.",
            advice="Give the person the page's address (or the `how` line) and the code, and repeat exactly this call "
            "once they have typed it. Never ask for the value yourself.",
            details={
                "code": wanted.code,
                **where,
                "how": self._how,
                "expires_in_s": max(0, int(wanted.created + FILL - self._clock())),
            },
        )

    def _kept(self) -> list[Wanted]:
        """Every request, oldest first; what is too old is deleted on the way."""
        kept: list[Wanted] = []
        broken: set[str] = set()
        for path in self._folder.glob("*.json"):
            wanted = self._request(path, broken)
            if wanted is None:
                continue
            declined = self._file(wanted.code, "declined").exists()
            if wanted.created + (RESTS if declined else LASTS) <= self._clock():
                self._drop(wanted.code)
            else:
                kept.append(wanted)
        for path in self._folder.glob("*.value"):
            if not path.with_suffix(".json").exists():  # typed while its call ended
                path.unlink(missing_ok=True)
        for path in self._folder.glob(f"*{private.DRAFT}"):  # its process was killed while it wrote
            if self._aged(path, DRAFTS):
                path.unlink(missing_ok=True)
        self._broken = frozenset(broken)
        return sorted(kept, key=lambda each: each.created)

    def _request(self, path: Path, broken: set[str]) -> Wanted | None:
        """What a file asks for. None when it is gone, or damaged, which concerns its own code alone."""
        try:
            wanted = Wanted(**json.loads(private.read(self._folder, path.name)))
            if self._file(wanted.code, "json") != path or not isfinite(wanted.created):
                raise ValueError("is not of its code")
        except FileNotFoundError:
            return None  # its call ended meanwhile
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, private.UnsafeError) as error:
            if path.name not in self._broken:
                logger.warning("the request %s for a secret cannot be read (%s)", path.name, type(error).__name__)
            broken.add(path.name)
            self._discard(path)
            return None
        return wanted

    def _discard(self, path: Path) -> None:
        """Delete a damaged request and what belongs to it, once nobody can be waiting for it."""
        if self._aged(path, RESTS):
            for kind in KINDS:
                try:
                    path.with_suffix(f".{kind}").unlink(missing_ok=True)
                except OSError as error:
                    logger.warning("%s cannot be deleted: %s", path.name, error.strerror)

    def _aged(self, path: Path, seconds: float) -> bool:
        """Whether nobody has written a file for so long."""
        try:
            return path.lstat().st_mtime + seconds <= self._clock()
        except FileNotFoundError:
            return False

    def _value(self, wanted: Wanted) -> str:
        name = self._file(wanted.code, "value").name
        try:
            return private.read(self._folder, name).decode()
        except ValueError:
            raise StoreError(f"The file {name} of a typed secret is damaged; nothing was sent.") from None

    def _drop(self, code: str) -> None:
        for kind in KINDS:
            self._file(code, kind).unlink(missing_ok=True)

    def _file(self, code: str, kind: Kind) -> Path:
        return self._folder / f"{code.replace('-', '')}.{kind}"


@contextmanager
def _faults() -> Generator[None]:
    """Raises: StoreError for what the folder or its files are not; its text holds no data."""
    try:
        yield
    except private.UnsafeError as unsafe:
        raise StoreError(f"A file of typed secrets {unsafe}; nothing was sent.") from None
    except OSError as error:
        raise StoreError(f"Typed secrets cannot be kept: {error.strerror}; nothing was sent.") from None
