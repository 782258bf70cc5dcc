"""Who is still alive, told by a lock that dies with its process."""

import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from tests.store import making

from molecule_mcp.errors import StoreError
from molecule_mcp.store import files, owners
from molecule_mcp.store.owners import Owner

HOLD = """
import sys
from pathlib import Path
from molecule_mcp.store.owners import Owner
owner = Owner(Path(sys.argv[1]))
owner.hold()
print(owner.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path: Path) -> Generator[Owner]:
    owner = Owner(tmp_path)
    yield owner
    owner.leave()


def test_without_owners_nobody_lives(tmp_path: Path) -> None:
    assert owners.survey(tmp_path) == (set(), [])


def test_an_owner_lives_from_its_lock_until_it_leaves(tmp_path: Path, owner: Owner) -> None:
    owner.leave()
    assert not (tmp_path / "owners").exists()
    owner.hold()
    owner.hold()
    assert owners.survey(tmp_path) == ({owner.name}, [])
    owner.leave()
    assert owners.survey(tmp_path) == (set(), [])


def test_an_owner_lives_as_long_as_its_process(tmp_path: Path) -> None:
    with making.process(HOLD, tmp_path) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert owners.survey(tmp_path) == ({name}, [])
        other.kill()
    assert owners.survey(tmp_path) == (set(), [tmp_path / "owners" / name])


def test_owners_of_one_process_are_told_apart(tmp_path: Path, owner: Owner) -> None:
    second = Owner(tmp_path)
    owner.hold()
    second.hold()
    second.leave()
    assert owners.survey(tmp_path) == ({owner.name}, [])


def test_without_its_lock_an_owner_marks_nothing(tmp_path: Path, owner: Owner) -> None:
    path = files.own_folder(tmp_path / "owners") / owner.name
    path.touch()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="could not mark"):
            owner.hold()


def test_a_file_that_vanishes_under_the_survey_is_an_owner_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "owners").mkdir()
    (tmp_path / "owners" / "gone").symlink_to(tmp_path / "nothing")
    assert owners.survey(tmp_path) == (set(), [tmp_path / "owners" / "gone"])


def test_what_cannot_be_opened_counts_as_living(tmp_path: Path) -> None:
    (tmp_path / "owners" / "odd").mkdir(parents=True)
    assert owners.survey(tmp_path) == ({"odd"}, [])


def test_a_lock_is_given_up_at_once_and_not_when_it_is_forgotten(
    tmp_path: Path, owner: Owner, connections: Callable[[], int]
) -> None:
    owner.hold()
    assert owners.survey(tmp_path) == ({owner.name}, [])
    assert connections() == 1
    owner.leave()
    assert connections() == 0
    (tmp_path / "owners" / "gone").touch()
    assert owners.survey(tmp_path) == (set(), [tmp_path / "owners" / "gone"])
    assert connections() == 0


def test_whether_a_lock_is_held_is_told_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    lock = owners.locked(tmp_path / "lock")
    assert lock is not None
    with closing(lock):
        assert lock.execute("PRAGMA busy_timeout").fetchone() == (0,)


def test_an_owner_leaves_also_where_its_file_is_gone(tmp_path: Path, owner: Owner) -> None:
    owner.hold()
    (tmp_path / "owners" / owner.name).unlink()
    owner.leave()
    assert owners.survey(tmp_path) == (set(), [])


def test_an_owner_leaves_also_where_its_file_cannot_be_removed(tmp_path: Path, owner: Owner) -> None:
    path = tmp_path / "owners" / owner.name
    owner.hold()
    path.unlink()
    path.mkdir()
    owner.leave()
    assert path.is_dir()


def test_an_owners_name_is_not_to_be_guessed(tmp_path: Path) -> None:
    names = {Owner(tmp_path).name for _ in range(9)}
    assert len(names) == 9
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
