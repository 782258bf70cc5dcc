"""One file for many processes: opened late, whole or not at all, and refused when it is not ours."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from tests.store import making

from molecule_mcp.errors import ConfigurationError, StoreError
from molecule_mcp.store import database
from molecule_mcp.store.database import Database

FullDisk = Callable[[], AbstractContextManager[None]]

OPEN = """
import sys
from pathlib import Path
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making
store = SqliteStore(Path(sys.argv[1]))
sys.stdin.readline()
assert store.claim(making.direct(sys.argv[2]))
store.close()
"""


@pytest.fixture
def made(folder: Path) -> Path:
    """A folder with an empty database."""
    with closing(Database(folder)) as empty, empty.reading():
        return folder


def test_nothing_is_made_before_the_first_use(folder: Path) -> None:
    Database(folder).close()
    assert not folder.exists()


def test_folder_and_files_are_for_us_alone(made: Path) -> None:
    with closing(Database(made)) as opened, opened.writing():
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [made, *made.iterdir()]}
    names = ("state", "state.db", "state.db-shm", "state.db-wal", "chain.key")
    assert modes == {name: 0o700 if name == "state" else 0o600 for name in names}


def test_commits_go_to_the_disk_and_readers_do_not_wait(made: Path) -> None:
    with closing(Database(made)) as opened, opened.writing() as sql:
        assert sql.execute("PRAGMA synchronous").fetchone() == (2,)
        assert sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with opened.reading() as other:
            assert other.execute("SELECT count(*) FROM plans").fetchone() == (0,)


def test_every_connection_is_made_durable_whatever_sqlite_does_by_itself(folder: Path, durable: list[str]) -> None:
    with closing(Database(folder)) as opened:
        with opened.writing(), opened.reading():
            assert durable == ["FULL"]
        with opened.scanning():
            pass
    assert durable == ["FULL"] * 4


def test_a_connection_commits_only_when_told_to_and_waits_five_seconds_for_others(made: Path) -> None:
    with closing(Database(made)) as opened, opened.writing() as sql:
        assert sql.isolation_level is None
        assert sql.execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_a_file_that_is_gone_is_not_made_anew_by_connecting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where SQLite reads no URI unless it is asked to."""
    asked: list[dict[str, Any]] = []
    connect = sqlite3.connect

    def noted(*args: Any, **named: Any) -> sqlite3.Connection:
        asked.append(named)
        return connect(*args, **named)

    monkeypatch.setattr(sqlite3, "connect", noted)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        database.connect(tmp_path / "gone.db", 0)
    assert asked[0]["uri"] is True
    assert list(tmp_path.iterdir()) == []


def test_a_scan_sees_nothing_that_is_written_after_it_began(made: Path) -> None:
    with closing(Database(made)) as opened, opened.scanning() as sql:
        assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]
        with opened.writing() as other:
            other.execute("UPDATE head SET seq = 9")
        assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]


def test_no_connection_is_left_open(made: Path, connections: Callable[[], int]) -> None:
    opened = Database(made)
    for use in (opened.writing, opened.reading, opened.scanning):
        with pytest.raises(StoreError), use() as sql:
            sql.execute("SELECT nothing")
        assert connections() == 0
    with opened.writing(), opened.reading():
        assert connections() == 2
    assert connections() == 2
    opened.close()
    assert connections() == 0


def test_processes_that_open_a_new_folder_at_once_share_one_whole_database(folder: Path) -> None:
    making.together([making.process(OPEN, folder, f"intent {number}") for number in range(8)])
    with closing(sqlite3.connect(folder / "state.db")) as sql:
        assert sql.execute("SELECT count(*) FROM chain").fetchone() == (8,)
    assert {each.name for each in folder.iterdir()} == {"state.db", "chain.key", "owners"}


def test_what_raises_inside_a_transaction_is_undone_and_the_next_one_works(made: Path) -> None:
    with closing(Database(made)) as opened:
        with pytest.raises(KeyboardInterrupt), opened.writing() as sql:
            sql.execute("DELETE FROM head")
            raise KeyboardInterrupt
        with opened.writing() as sql:
            assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]


def test_what_raises_inside_a_view_leaves_the_next_one_working(made: Path) -> None:
    with closing(Database(made)) as opened:
        with pytest.raises(StoreError), opened.reading() as sql:
            sql.execute("SELECT nothing")
        with opened.reading() as sql:
            assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]


def test_a_write_waits_for_another_process_only_so_long(made: Path) -> None:
    with closing(sqlite3.connect(made / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(Database(made, busy=0)) as opened:
            with pytest.raises(StoreError, match="SQLITE_BUSY"), opened.writing():
                raise AssertionError("the block ran without its transaction")
            with opened.reading() as sql:
                assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]


def test_a_fault_is_told_without_any_data(made: Path) -> None:
    with closing(Database(made)) as opened, pytest.raises(StoreError) as fault, opened.writing() as sql:
        sql.execute("INSERT INTO steps VALUES (1, 2, 3, 4, 5, 6, 'sec\udcffret')")
    assert "(UnicodeEncodeError)" in fault.value.message
    assert "sec" not in str(fault.value.told())
    assert fault.value.sent is False


def test_a_closed_database_is_not_used_again(made: Path) -> None:
    opened = Database(made)
    with opened.reading(), opened.writing():
        pass
    opened.close()
    opened.close()
    for use in (opened.reading, opened.writing, opened.scanning):
        with pytest.raises(StoreError, match="closed"), use():
            raise AssertionError("a closed database was used")


def test_a_new_database_that_finds_no_room_is_not_there(folder: Path, full_disk: FullDisk) -> None:
    with closing(Database(folder)) as opened:
        with full_disk(), pytest.raises(StoreError), opened.writing():
            raise AssertionError("the block ran without its database")
        assert list(folder.iterdir()) == []
        with opened.writing() as sql:
            assert sql.execute("SELECT seq FROM head").fetchall() == [(0,)]


def test_a_database_without_room_for_its_tables_is_not_there(folder: Path, full_disk: FullDisk) -> None:
    with closing(Database(folder)) as opened:
        folder.mkdir(mode=0o700)
        database.Key.ensure(folder / "chain.key")
        with full_disk(), pytest.raises(StoreError, match="SQLITE_"), opened.reading():
            raise AssertionError("the block ran without its database")
        assert [each.name for each in folder.iterdir()] == ["chain.key"]


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="NotADirectoryError"), Database(tmp_path / "file" / "state").reading():
        raise AssertionError("there is no folder")


@pytest.mark.parametrize("version", [database.VERSION - 1, database.VERSION + 1])
def test_a_database_of_another_version_is_refused_and_left_alone(
    made: Path, connections: Callable[[], int], version: int
) -> None:
    with closing(sqlite3.connect(made / "state.db")) as other:
        other.execute(f"PRAGMA user_version = {version}")
    before = (made / "state.db").read_bytes()
    with pytest.raises(ConfigurationError, match="another version") as fault, Database(made).writing():
        raise AssertionError("another version was opened")
    assert fault.value.told() == {
        "error": "configuration",
        "message": f"{made / 'state.db'} was made by another version of this program",
        "sent": False,
        "advice": "Run that version, or move the whole state folder away to start a new one; export its audit before "
        "with that version.",
    }
    assert connections() == 0
    assert (made / "state.db").read_bytes() == before


def test_a_file_that_is_no_database_is_a_store_error(made: Path) -> None:
    (made / "state.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="SQLITE_NOTADB"), Database(made).reading():
        raise AssertionError("it was read")


def test_a_link_in_place_of_the_database_is_refused(made: Path) -> None:
    (made / "state.db").rename(made / "real.db")
    (made / "state.db").symlink_to(made / "real.db")
    with pytest.raises(ConfigurationError, match="not a regular file"), Database(made).reading():
        raise AssertionError("it was read")


def test_a_folder_in_place_of_the_database_is_refused(folder: Path) -> None:
    (folder / "state.db").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="not a regular file"), Database(folder).reading():
        raise AssertionError("it was read")


def test_a_database_whose_key_is_lost_is_not_given_a_new_one(made: Path) -> None:
    (made / "chain.key").unlink()
    with pytest.raises(ConfigurationError, match="missing or not a key"):
        _ = Database(made).key
    assert not (made / "chain.key").exists()


def test_the_key_of_a_lost_database_is_kept(made: Path) -> None:
    before = (made / "chain.key").read_bytes()
    (made / "state.db").unlink()
    with closing(Database(made)) as opened:
        assert opened.key is opened.key
    assert (made / "chain.key").read_bytes() == before
