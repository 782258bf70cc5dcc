"""The approver's key: one per folder, opened by its passphrase only, and not by guessing."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store import making

from molecule_mcp.errors import ConfigurationError, GateStop, StoreError
from molecule_mcp.gate import grants
from molecule_mcp.store import approver, files
from molecule_mcp.store.records import Grant

RIGHT, WRONG = "correct horse", "incorrect horse"
NOW = 10_000.0

GUESS = """
import sys
from pathlib import Path
from molecule_mcp.errors import GateStop
from molecule_mcp.store import approver
sys.stdin.readline()
try:
    approver.unlock(Path(sys.argv[1]), "incorrect horse", 10_000.0)
except GateStop as stop:
    print(stop.kind)
"""


EARLIER = {
    "approver.json": {
        "created": 10000.0,
        "fingerprint": "c60b-3744-a0aa-c48e",
        "key": "71683a3bb1505a5677360d4b6f383cbabd421b38b480591edbb3084690ebfda6",
    },
    "approver.key": {
        "box": "d17179bf588764c6f866b8e48e55cda4efa025660791cb7a525259003da5505de94a12a0b58b3f68d5ecd478816ba298",
        "form": "molecule-mcp approver 1",
        "nonce": "c4e020d184012662482ef6c8",
        "salt": "137179d3c5af54128560ee9002e241ca",
    },
}
"""An approver as it was written once, for this passphrase."""


@pytest.fixture
def made(folder: Path) -> Path:
    """A folder with an approver."""
    approver.init(folder, RIGHT, NOW)
    return folder


def refusal(folder: Path, passphrase: str, now: float) -> str:
    with pytest.raises(GateStop) as stop:
        approver.unlock(folder, passphrase, now)
    assert stop.value.sent is False
    return stop.value.kind


def test_an_unlocked_key_signs_grants_that_the_public_key_verifies(made: Path) -> None:
    plan = making.plan()
    signer = approver.unlock(made, RIGHT)
    signature = signer.sign(grants.message(plan.digest, "allow", NOW)).hex()
    public = approver.public(made)
    assert public
    assert grants.verify(public.key, plan, Grant("human", "allow", NOW, signature, signer.fingerprint))


def test_an_approver_that_was_made_once_is_unlocked_ever_after(folder: Path) -> None:
    for name, told in EARLIER.items():
        assert files.create(files.own_folder(folder) / name, json.dumps(told).encode())
    assert approver.unlock(folder, RIGHT, NOW).fingerprint == "c60b-3744-a0aa-c48e"


def test_the_fingerprint_is_the_same_wherever_it_is_shown(folder: Path) -> None:
    made = approver.init(folder, RIGHT, NOW)
    public = approver.public(folder)
    assert public
    assert (public.fingerprint, public.created) == (made, NOW)
    assert approver.unlock(folder, RIGHT).fingerprint == made


def test_without_an_approver_there_is_no_public_key_and_nothing_to_unlock(folder: Path) -> None:
    assert approver.public(folder) is None
    assert refusal(folder, RIGHT, NOW) == "no_approver"


@pytest.mark.parametrize("lost", ["approver.json", "approver.key"])
def test_half_an_approver_is_none(made: Path, lost: str) -> None:
    (made / lost).unlink()
    assert refusal(made, RIGHT, NOW) == "no_approver"


@pytest.mark.parametrize("left", ["approver.json", "approver.key"])
def test_a_second_approver_is_refused(made: Path, left: str) -> None:
    kept = (made / left).read_bytes()
    with pytest.raises(ConfigurationError, match="has an approver already"):
        approver.init(made, RIGHT)
    for each in made.iterdir():
        if each.name != left:
            each.unlink()
    with pytest.raises(ConfigurationError, match="has an approver already"):
        approver.init(made, RIGHT)
    assert [(each.name, each.read_bytes()) for each in made.iterdir()] == [(left, kept)]


def test_a_short_passphrase_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="8 characters"):
        approver.init(folder, "1234567")
    assert not folder.exists()
    assert approver.init(folder, "12345678")


def test_the_private_key_is_for_us_alone_and_nowhere_in_the_clear(made: Path) -> None:
    assert {stat.S_IMODE(each.stat().st_mode) for each in made.iterdir()} == {0o600}
    box = json.loads((made / "approver.key").read_text())
    assert set(box) == {"form", "salt", "nonce", "box"}
    assert box["form"] == "molecule-mcp approver 1"
    assert len(bytes.fromhex(box["box"])) == 32 + 16


def test_two_approvers_have_nothing_in_common(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    assert approver.init(first, RIGHT) != approver.init(second, RIGHT)
    boxes = [json.loads((each / "approver.key").read_text()) for each in (first, second)]
    assert boxes[0]["salt"] != boxes[1]["salt"]
    assert boxes[0]["nonce"] != boxes[1]["nonce"]


def test_a_passphrase_is_the_same_in_every_unicode_form_and_may_be_any_bytes(tmp_path: Path) -> None:
    approver.init(tmp_path / "1", "pass phras\u00e9")
    assert approver.unlock(tmp_path / "1", "pass phrase\u0301")
    approver.init(tmp_path / "2", "not utf-8 \udcff")
    assert approver.unlock(tmp_path / "2", "not utf-8 \udcff")


def test_a_wrong_passphrase_is_refused_and_says_how_many_are_left(made: Path) -> None:
    with pytest.raises(GateStop, match="wrong") as stop:
        approver.unlock(made, WRONG, NOW)
    assert (stop.value.kind, stop.value.details) == ("wrong_passphrase", {"tries_left": 4})
    assert WRONG not in json.dumps(stop.value.told())


def test_every_wrong_passphrase_of_the_last_fifteen_minutes_leaves_one_less(made: Path) -> None:
    def left(now: float) -> int:
        with pytest.raises(GateStop) as stop:
            approver.unlock(made, WRONG, now)
        return stop.value.details["tries_left"]

    assert [left(NOW), left(NOW + 0.5), left(NOW + 1), left(NOW + 900)] == [4, 3, 2, 2]
    assert left(NOW + 901) == 3


def test_five_wrong_passphrases_lock_even_the_right_one_for_fifteen_minutes(made: Path) -> None:
    kinds = [refusal(made, WRONG, NOW + 60 * minute) for minute in range(5)]
    assert kinds == ["wrong_passphrase"] * 5
    locked = NOW + 240
    with pytest.raises(GateStop) as stop:
        approver.unlock(made, RIGHT, locked + 1)
    assert (stop.value.kind, stop.value.advice) == ("approver_locked", "Try again in 15 minutes.")
    assert refusal(made, RIGHT, locked + 899.9) == "approver_locked"
    assert approver.unlock(made, RIGHT, locked + 900)


def test_tries_while_locked_do_not_lengthen_the_lock(made: Path) -> None:
    for _ in range(5):
        refusal(made, WRONG, NOW)
    assert {refusal(made, WRONG, NOW + second) for second in range(100, 900, 100)} == {"approver_locked"}
    assert approver.unlock(made, RIGHT, NOW + 900)


def test_five_wrong_passphrases_over_more_than_fifteen_minutes_lock_nothing(made: Path) -> None:
    for number in range(6):
        assert refusal(made, WRONG, NOW + 225 * number) == "wrong_passphrase"
    assert approver.unlock(made, RIGHT, NOW + 225 * 6)


def test_a_clock_that_stands_at_its_beginning_locks_nothing(made: Path) -> None:
    assert approver.unlock(made, RIGHT, 0.0)


def test_a_try_is_counted_on_the_disk_before_it_is_made(made: Path, durable: list[str]) -> None:
    refusal(made, WRONG, NOW)
    assert durable == ["FULL"]


def test_the_right_passphrase_clears_the_count(made: Path) -> None:
    for _ in range(2):
        for _ in range(4):
            refusal(made, WRONG, NOW)
        approver.unlock(made, RIGHT, NOW)


def test_processes_that_guess_at_once_share_one_count(made: Path) -> None:
    said = making.together([making.process(GUESS, made) for _ in range(8)])
    assert sorted(said) == ["approver_locked"] * 3 + ["wrong_passphrase"] * 5


def test_where_tries_cannot_be_counted_nothing_is_unlocked(made: Path, full_disk: Callable[[], Any]) -> None:
    with full_disk(), pytest.raises(StoreError):
        approver.unlock(made, RIGHT, NOW)
    assert approver.unlock(made, RIGHT, NOW)


def test_a_link_in_place_of_the_count_is_refused(made: Path) -> None:
    (made / "approver.tries").symlink_to(made / "elsewhere")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        approver.unlock(made, RIGHT, NOW)


DAMAGES: list[Callable[[dict[str, Any]], str]] = [
    lambda told: "no json",
    lambda told: "[]",
    lambda told: "{}",
    lambda told: json.dumps(told | {"key": "00", "salt": "00"}),
    lambda told: json.dumps(told | {"key": 7, "nonce": 7}),
]


@pytest.mark.parametrize("name", ["approver.json", "approver.key"])
@pytest.mark.parametrize("change", DAMAGES)
def test_damaged_files_are_named(made: Path, name: str, change: Callable[[dict[str, Any]], str]) -> None:
    (made / name).write_text(change(json.loads((made / name).read_text())))
    with pytest.raises(ConfigurationError, match=f"{name} is damaged"):
        approver.unlock(made, RIGHT, NOW)


def test_a_changed_box_does_not_open(made: Path) -> None:
    told = json.loads((made / "approver.key").read_text())
    told["box"] = "00" * 48
    (made / "approver.key").write_text(json.dumps(told))
    assert refusal(made, RIGHT, NOW) == "wrong_passphrase"


def test_keys_that_do_not_belong_together_sign_nothing(made: Path, tmp_path: Path) -> None:
    approver.init(tmp_path / "other", RIGHT)
    (tmp_path / "other" / "approver.json").replace(made / "approver.json")
    with pytest.raises(ConfigurationError, match="do not belong together"):
        approver.unlock(made, RIGHT, NOW)
