"""What went wrong with the durable record is told by kind, with what helps."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store import making
from tests.store.making import NOW, PLAN, YES, outside

from molecule_mcp.errors import ConfigurationError, StoreError
from molecule_mcp.store.chain import Key
from molecule_mcp.store.faults import faults
from molecule_mcp.store.forms import DamagedError
from molecule_mcp.store.records import Call
from molecule_mcp.store.sqlite import SqliteStore

BUSY = "Repeat the call."
DISK = "Make room on the disk and the state folder writable, then repeat the call."
DAMAGED = (
    "Repeating the call does not help. A person runs molecule-mcp audit verify and molecule-mcp doctor, and brings the "
    "state folder back from a copy or moves it away to start anew."
)
OWN = "Repeating the call does not help; a person finds the cause in the server's log."
CALL = Call("c1", "scope", "tool", "binding", "", NOW, "", NOW - 120, NOW - 600, False, NOW - 120)


def told(exc: Exception) -> tuple[str, str | None]:
    """What is told of a fault of `x/state.db`."""
    with pytest.raises(StoreError) as fault, faults(Path("x") / "state.db"):
        raise exc
    assert fault.value.sent is False
    assert fault.value.__cause__ is exc
    return fault.value.message, fault.value.advice


def of_sqlite(code: str, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    """A fault as SQLite tells it."""
    fault = kind("a text with data in it")
    fault.sqlite_errorname, fault.sqlite_errorcode = code, getattr(sqlite3, code)
    return fault


@pytest.mark.parametrize("code", ["SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED_SHAREDCACHE"])
def test_of_another_process_that_writes_the_call_is_repeated(code: str) -> None:
    assert told(of_sqlite(code)) == (f"another process is writing to the durable record ({code})", BUSY)


@pytest.mark.parametrize("code", ["FULL", "IOERR", "IOERR_WRITE", "READONLY", "CANTOPEN", "PERM", "NOMEM"])
def test_of_a_disk_without_room_room_is_made(code: str) -> None:
    fault = f"SQLITE_{code}"
    assert told(of_sqlite(fault)) == (f"the durable record could not be read or written ({fault})", DISK)


def test_what_the_system_refuses_is_of_the_disk() -> None:
    assert told(PermissionError(13, "x")) == ("the durable record could not be read or written (PermissionError)", DISK)


@pytest.mark.parametrize(
    "fault",
    [
        of_sqlite("SQLITE_CORRUPT", sqlite3.DatabaseError),
        of_sqlite("SQLITE_NOTADB", sqlite3.DatabaseError),
        of_sqlite("SQLITE_CORRUPT_INDEX", sqlite3.DatabaseError),
    ],
)
def test_of_a_damaged_file_its_name_is_told(fault: sqlite3.Error) -> None:
    assert told(fault) == (f"{Path('x') / 'state.db'} is damaged ({fault.sqlite_errorname})", DAMAGED)


def test_a_stored_text_that_is_none_of_ours_is_damage() -> None:
    assert told(DamagedError("KeyError")) == (f"{Path('x') / 'state.db'} is damaged (KeyError)", DAMAGED)


@pytest.mark.parametrize(
    "fault",
    [
        TypeError("a text with data in it"),
        KeyError("data"),
        ZeroDivisionError(),
        RecursionError(),
        ValueError("data"),
        of_sqlite("SQLITE_ERROR"),
        of_sqlite("SQLITE_CONSTRAINT_PRIMARYKEY", sqlite3.IntegrityError),
        of_sqlite("SQLITE_MISMATCH", sqlite3.IntegrityError),
        of_sqlite("SQLITE_MISUSE", sqlite3.ProgrammingError),
        of_sqlite("SQLITE_RANGE", sqlite3.ProgrammingError),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
    ],
)
def test_a_defect_of_our_own_is_told_as_one_and_logged(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    name = getattr(fault, "sqlite_errorname", type(fault).__name__)
    message, advice = told(fault)
    assert message == f"a defect of this program kept the durable record from being read or written ({name})"
    assert advice == OWN
    [record] = caplog.records
    assert record.getMessage() == "a defect kept state.db from being read or written"
    assert record.name == "molecule_mcp.store.faults"
    assert record.exc_info and record.exc_info[1] is fault


def test_a_defect_in_a_transaction_is_none_of_the_disk(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="a defect of this program") as fault:
        store.open_plan(replace(making.plan(), arguments={"value": {1, 2}}))
    assert fault.value.advice == OWN


def test_what_is_told_already_is_told_as_it_is() -> None:
    own = StoreError("the store is closed"), ConfigurationError("x")
    for error in own:
        with pytest.raises(type(error)) as found, faults(Path("x")):
            raise error
        assert found.value is error


Use = Callable[[SqliteStore], object]


BROKEN: list[tuple[str, Use]] = [
    ("UPDATE plans SET plan = '{}'", lambda store: store.plan(PLAN)),
    ("UPDATE plans SET plan = '{'", lambda store: store.claim(making.intent("later"))),
    ("UPDATE plans SET plan = CAST(x'ff' AS TEXT)", lambda store: store.plan(PLAN)),
    ("UPDATE plans SET state = 'open', given = '{'", lambda store: store.asked(PLAN, "outside")),
    (
        "UPDATE plans SET state = 'open', given = '{'",
        lambda store: store.open_plan(making.plan(2, binding="other")),
    ),
    ("UPDATE calls SET answer = '{'", lambda store: store.recorded("c1")),
    ("UPDATE calls SET answer = '[]'", lambda store: store.recorded("c1")),
    ("UPDATE calls SET scope = '[0, 0, \"1\"]', answer = 5", lambda store: store.answers("tool", "1", NOW - 1)),
    ("UPDATE chain SET body = '{'", lambda store: list(store.records())),
]


@pytest.mark.parametrize(("change", "use"), BROKEN)
def test_a_row_that_cannot_be_read_is_damage_of_the_file_that_is_named(
    granted: SqliteStore, folder: Path, change: str, use: Use
) -> None:
    granted.begin(CALL)
    granted.claim(making.intent(call="c1"))
    granted.finish("c1", "done", NOW, {})
    outside(folder, change)
    with pytest.raises(StoreError) as fault:
        use(granted)
    assert fault.value.message.startswith(f"{folder / 'state.db'} is damaged (")
    assert fault.value.advice == DAMAGED


def test_a_grant_that_is_sealed_and_none_is_damage(granted: SqliteStore, folder: Path) -> None:
    [seal] = sealed(folder, "[]")
    outside(folder, f"UPDATE plans SET given = '[]', seal = '{seal}'")
    with pytest.raises(StoreError, match="is damaged"):
        granted.plan(PLAN)


def sealed(folder: Path, given: str) -> list[str]:
    """The seal of what was given to plan 1."""
    key = Key.load(folder / "chain.key")
    return [key.mac("grant", PLAN.encode(), making.plan().digest.encode(), given.encode())]


def test_a_full_disk_and_another_writer_are_told_apart(
    folder: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    with closing(SqliteStore(folder, busy=0)) as store:
        store.open_plan(making.plan())
        with full_disk(), pytest.raises(StoreError) as full:
            store.grant(PLAN, YES)
        with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError) as busy:
                store.grant(PLAN, YES)
        assert (full.value.advice, busy.value.advice) == (DISK, BUSY)
        assert store.grant(PLAN, YES)
