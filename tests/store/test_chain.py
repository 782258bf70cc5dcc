"""The chain: whatever is done to it without the key shows, and where."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from tests.store import making

from molecule_mcp.errors import ConfigurationError, StoreError
from molecule_mcp.store import chain, files
from molecule_mcp.store.chain import Key
from molecule_mcp.store.database import Database
from molecule_mcp.store.sqlite import SqliteStore

SIZE = 6
Tampering = Callable[[sqlite3.Connection], object]


@pytest.fixture
def sql(folder: Path) -> Generator[sqlite3.Connection]:
    """The file of a store with a chain of six records, opened from outside."""
    written(folder)
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as sql:
        yield sql


def written(folder: Path) -> None:
    with closing(SqliteStore(folder)) as store:
        for number in range(SIZE):
            assert store.claim(making.direct(f"intent {number}"))


def verdict(folder: Path) -> tuple[int, str | None]:
    with closing(SqliteStore(folder)) as store:
        return store.verify()


def test_an_empty_chain_is_whole(folder: Path) -> None:
    assert verdict(folder) == (0, None)


def test_an_untouched_chain_is_whole(folder: Path, sql: sqlite3.Connection) -> None:
    assert verdict(folder) == (SIZE, None)


def run(*statements: str) -> Tampering:
    return lambda sql: [sql.execute(each) for each in statements]


COPY = "SELECT {seq}, at, kind, body, prev, mac FROM chain WHERE seq = {of}"
CUT = "DELETE FROM chain WHERE seq = 6"


@pytest.mark.parametrize(
    ("tamper", "good", "what"),
    [
        (run("UPDATE chain SET body = replace(body, 'DELETE', 'GET') WHERE seq = 3"), 2, "record 3 was changed"),
        (run("UPDATE chain SET body = x'ff00' WHERE seq = 3"), 2, "record 3 was changed"),
        (run("UPDATE chain SET body = CAST(x'ff00' AS TEXT) WHERE seq = 3"), 2, "record 3 was changed"),
        (run("UPDATE head SET mac = CAST(x'ff00' AS TEXT)"), 6, "the head after record 6 was changed"),
        (run("DELETE FROM chain WHERE seq = 3"), 2, "record 3 is missing: after 2 comes 4"),
        (run("DELETE FROM chain WHERE seq < 3"), 0, "record 1 is missing: after 0 comes 3"),
        (
            run("DELETE FROM chain WHERE seq = 3", "UPDATE chain SET seq = seq - 1 WHERE seq > 3"),
            2,
            "record 3 was changed",
        ),
        (
            run(
                "UPDATE chain SET seq = 0 WHERE seq = 2",
                "UPDATE chain SET seq = 2 WHERE seq = 3",
                "UPDATE chain SET seq = 3 WHERE seq = 0",
            ),
            1,
            "record 2 was changed",
        ),
        (
            run(
                "UPDATE chain SET seq = -seq - 1 WHERE seq > 2",
                "UPDATE chain SET seq = -seq WHERE seq < 0",
                "INSERT INTO chain " + COPY.format(seq=3, of=2),
            ),
            2,
            "record 3 was changed",
        ),
        (run("INSERT INTO chain " + COPY.format(seq=7, of=6)), 6, "record 7 was changed"),
        (run("INSERT INTO chain " + COPY.format(seq=0, of=1)), 0, "record 1 is missing: after 0 comes 0"),
        (run(CUT), 5, "record 6 is missing: the head says that there are 6"),
        (run("DELETE FROM chain"), 0, "record 1 is missing: the head says that there are 6"),
        (run(CUT, "UPDATE head SET seq = 5"), 5, "the head after record 5 was changed"),
        (
            run(CUT, "UPDATE head SET seq = 5, mac = (SELECT mac FROM chain WHERE seq = 5)"),
            5,
            "the head after record 5 was changed",
        ),
        (run("UPDATE head SET seal = mac"), 6, "the head after record 6 was changed"),
        (run("DELETE FROM head"), 6, "the head after record 6 was changed"),
        (run("DELETE FROM chain", "DELETE FROM head"), 0, "the head after record 0 was changed"),
        (run("INSERT INTO head SELECT * FROM head"), 6, "the head after record 6 was changed"),
    ],
)
def test_every_tampering_shows_and_is_placed(
    folder: Path, sql: sqlite3.Connection, tamper: Tampering, good: int, what: str
) -> None:
    tamper(sql)
    found, wrong = verdict(folder)
    assert found == good
    assert wrong is not None
    assert wrong.startswith(what)


@pytest.mark.parametrize("column", ["at", "kind", "body", "prev", "mac"])
@pytest.mark.parametrize("seq", range(1, SIZE + 1))
@pytest.mark.parametrize("value", ["'x' || column", "x'00ff'", "'other'", "7"])
def test_no_cell_of_the_chain_can_be_changed_unseen(
    folder: Path, sql: sqlite3.Connection, column: str, seq: int, value: str
) -> None:
    sql.execute(f"UPDATE chain SET {column} = {value.replace('column', column)} WHERE seq = {seq}")
    found, wrong = verdict(folder)
    assert (found, wrong) == (seq - 1, f"record {seq} was changed: it does not fit its MAC")


def test_an_old_head_does_not_hide_what_came_after_it(folder: Path, sql: sqlite3.Connection) -> None:
    old = sql.execute("SELECT * FROM head").fetchone()
    with closing(SqliteStore(folder)) as store:
        store.claim(making.direct("later"))
    sql.execute("UPDATE head SET seq = ?, mac = ?, seal = ?", old)
    assert verdict(folder) == (7, "record 7 is not the one that the head names")


@pytest.fixture
def twin(folder: Path, sql: sqlite3.Connection, tmp_path: Path) -> None:
    """A second, longer chain with the same key, attached to `sql` as `twin`."""
    other = files.own_folder(tmp_path / "twin")
    files.create(other / "chain.key", (folder / "chain.key").read_bytes())
    with closing(SqliteStore(other)) as store:
        for number in range(SIZE + 1):
            assert store.claim(making.direct(f"other {number}"))
    sql.execute(f"ATTACH '{other / 'state.db'}' AS twin")


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize(
    ("tamper", "good", "what"),
    [
        (run("INSERT INTO chain SELECT * FROM twin.chain WHERE seq = 7"), 6, "record 7 does not follow"),
        (
            run("DELETE FROM chain WHERE seq = 3", "INSERT INTO chain SELECT * FROM twin.chain WHERE seq = 3"),
            2,
            "record 3 does not follow",
        ),
        (
            run("DELETE FROM chain", "INSERT INTO chain SELECT * FROM twin.chain WHERE seq < 7"),
            6,
            "record 6 is not the one that the head names",
        ),
        (run("DELETE FROM head", "INSERT INTO head SELECT * FROM twin.head"), 6, "record 7 is missing"),
    ],
)
def test_true_parts_of_another_chain_with_the_same_key_do_not_fit_in(
    folder: Path, sql: sqlite3.Connection, tamper: Tampering, good: int, what: str
) -> None:
    tamper(sql)
    found, wrong = verdict(folder)
    assert found == good
    assert wrong is not None
    assert wrong.startswith(what)


def test_a_chain_is_not_whole_under_another_key(folder: Path, sql: sqlite3.Connection) -> None:
    (folder / "chain.key").write_bytes(bytes(32))
    assert verdict(folder) == (0, "record 1 was changed: it does not fit its MAC")


def test_an_empty_chain_is_not_whole_under_another_key(folder: Path, store: SqliteStore) -> None:
    assert store.verify() == (0, None)
    (folder / "chain.key").write_bytes(bytes(32))
    assert verdict(folder) == (0, "the head after record 0 was changed: it does not fit its MAC")


def test_nothing_is_added_behind_a_changed_head(folder: Path, sql: sqlite3.Connection) -> None:
    """Else the new head would hide that the tail was cut."""
    run(CUT, "UPDATE head SET seq = 5, mac = (SELECT mac FROM chain WHERE seq = 5)")(sql)
    with closing(SqliteStore(folder)) as store:
        with pytest.raises(StoreError, match="head of the audit chain was changed"):
            store.claim(making.direct("later"))
        assert [each.id for each in making.open_intents(folder)] == [f"intent {number}" for number in range(SIZE)]


def test_records_come_oldest_first_as_they_were_written(folder: Path, sql: sqlite3.Connection) -> None:
    with closing(SqliteStore(folder)) as store:
        records = list(store.records())
    assert [(each.seq, each.at, each.kind) for each in records] == [(n + 1, 1001.0, "intent") for n in range(SIZE)]
    assert [each.prev for each in records] == ["", *(each.mac for each in records[:-1])]
    assert records[0].body["id"] == "intent 0"


def test_a_record_that_is_no_json_cannot_be_listed(folder: Path, sql: sqlite3.Connection) -> None:
    sql.execute("UPDATE chain SET body = 'no' WHERE seq = 2")
    with closing(SqliteStore(folder)) as store:
        records = store.records()
        assert next(records).seq == 1
        with pytest.raises(StoreError):
            next(records)


def test_a_key_is_made_once(folder: Path) -> None:
    path = files.own_folder(folder) / "chain.key"
    made = Key.ensure(path)
    assert path.stat().st_size == 32
    assert Key.ensure(path).mac("d", b"x") == made.mac("d", b"x")


@pytest.mark.parametrize("content", [None, b"", b"short", bytes(33)])
def test_a_missing_or_broken_key_stops_everything(folder: Path, content: bytes | None) -> None:
    path = files.own_folder(folder) / "chain.key"
    if content is not None:
        files.create(path, content)
    with pytest.raises(ConfigurationError, match="missing or not a key"):
        Key.load(path)


def test_macs_differ_by_domain_key_and_where_parts_end() -> None:
    key = Key(bytes(32))
    macs = [
        key.mac("a", b"bc"),
        key.mac("ab", b"c"),
        key.mac("a", b"b", b"c"),
        key.mac("a", b"bc", b""),
        key.mac("b", b"bc"),
        Key(bytes([1] * 32)).mac("a", b"bc"),
    ]
    assert len(set(macs)) == len(macs)


def test_a_key_makes_the_macs_that_it_always_made(folder: Path) -> None:
    """A chain that was written once fits its MACs ever after."""
    files.create(files.own_folder(folder) / "chain.key", bytes(range(32)))
    key = Key.load(folder / "chain.key")
    assert key.mac("a", b"bc", b"") == "9b5b034c57c1c2d48de40c5d41eb35c12e42dc7d4b0b665693c15639ce42a206"
    with closing(Database(folder)) as opened, opened.writing() as sql:
        assert sql.execute("SELECT * FROM head").fetchall() == [
            (0, "", "8dffc695444bfff0dcbc01650a1ebcf21045a19624143a403f6d5a5a995f204f")
        ]
        chain.append(sql, key, 1000, "open", '{"plan":"p"}')
        assert sql.execute("SELECT * FROM chain").fetchall() == [(1, 1000.0, "open", '{"plan":"p"}', "", MAC)]
        assert sql.execute("SELECT * FROM head").fetchall() == [
            (1, MAC, "1a0aa7c0a78b6fafa1ca2db19368740cd60053cf3974cf732ed1aa8500682982")
        ]


MAC = "d21bb8527f41e1ee45ae7eaadc94d563b7dae1935333f99b7a34f340d2b7c4b8"


def test_the_newest_records_are_told_whole_and_the_last_one_first(folder: Path, sql: sqlite3.Connection) -> None:
    told = list(chain.newest(sql, Key.load(folder / "chain.key")))
    assert told == list(chain.records(sql))[::-1]
    assert [each.seq for each in told] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("tamper", "told", "what"),
    [
        (run("UPDATE chain SET kind = 'spent' WHERE seq = 4"), [6, 5], "record 4 of the audit chain"),
        (run("DELETE FROM chain WHERE seq = 1"), [6, 5, 4, 3, 2], "record 1 of the audit chain"),
        (run(CUT), [], "record 6 of the audit chain"),
        (run("UPDATE head SET seal = mac"), [], "the head of the audit chain"),
    ],
)
def test_the_newest_records_end_where_the_chain_was_changed(
    folder: Path, sql: sqlite3.Connection, tamper: Tampering, told: list[int], what: str
) -> None:
    tamper(sql)
    seen: list[int] = []
    with pytest.raises(StoreError) as fault:
        seen.extend(each.seq for each in chain.newest(sql, Key.load(folder / "chain.key")))
    assert (seen, fault.value.message) == (told, f"{what} was changed from outside")
    assert fault.value.advice == "Run: molecule-mcp audit verify"


def test_a_record_is_checked_one_at_a_time(folder: Path, sql: sqlite3.Connection) -> None:
    """A wrong first record ends the check: the second one is never read."""
    seen: list[str] = []
    sql.text_factory = bytes
    sql.set_trace_callback(seen.append)
    sql.execute("UPDATE chain SET body = '{}' WHERE seq = 1")
    assert chain.verify(sql, Key.load(folder / "chain.key"))[0] == 0
    assert not any("head" in each for each in seen)
