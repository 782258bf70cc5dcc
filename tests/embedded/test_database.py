"""What the database takes and refuses."""

import pytest

from molecule_mcp.embedded.database import Database, StorageError, uid


@pytest.mark.parametrize(
    "text", ["", "x", "0" * 32, "{00000000-0000-4000-8000-000000000000}", "00000000-0000-4000-8000-00000000000"]
)
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(StorageError):
        uid(text)


def test_a_uuid_is_stored_in_lower_case() -> None:
    assert uid("ABCDEF00-0000-4000-8000-00000000000F") == "abcdef00-0000-4000-8000-00000000000f"


def test_a_nul_character_is_refused_in_reads_and_writes() -> None:
    database = Database(None)
    with pytest.raises(StorageError):
        database.row("SELECT * FROM memory WHERE key = ?", "a\x00b")
    database.close()


def test_what_leaves_a_savepoint_by_an_exception_is_undone_alone() -> None:
    database = Database(None)
    with database.transaction():
        database.run("INSERT INTO viewport VALUES (1, 1, 1, 1)")
        with pytest.raises(StorageError), database.savepoint():
            database.run("UPDATE viewport SET x = 2")
            database.run("INSERT INTO viewport VALUES (1, 3, 3, 3)")
    assert database.rows("SELECT x FROM viewport")[0]["x"] == 1
    database.close()
