"""What a person types on the page serves the call that asked for it, once, and no other."""

import os
from pathlib import Path

import pytest

from molecule_mcp.errors import ArgumentError, GateStop, StoreError
from molecule_mcp.gate import grants
from molecule_mcp.secrets import Purpose, Typed, asked_by, private
from molecule_mcp.secrets import typed as typed_secrets
from molecule_mcp.secrets.typed import DRAFTS, FILL, LASTS, RESTS

VALUE = "sesame-0123456789"


class Clock:
    """Seconds since the epoch, moved by the test."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own."""
    return Clock()


@pytest.fixture
def typed(tmp_path: Path, clock: Clock) -> Typed:
    """Nothing is asked for yet."""
    return Typed(tmp_path / "typed", grants.code, clock=clock)


def purpose(binding: str = "b1", tool: str = "set_workspace_secret", principal: str = "local") -> Purpose:
    """A call."""
    return Purpose(lambda: binding, tool, principal, "default", "https://tenant.example")


def stopped(typed: Typed, call: Purpose, name: str = "KEY") -> GateStop:
    """What a call without its secret is told; nothing was sent."""
    with asked_by(call), pytest.raises(GateStop) as stop:
        typed.value(name)
    assert stop.value.sent is False
    return stop.value


def required(typed: Typed, name: str = "KEY", binding: str = "b1") -> GateStop:
    """The call asks, and is told that nobody typed it yet."""
    stop = stopped(typed, purpose(binding), name)
    assert stop.kind == "secret_required"
    return stop


def decline(typed: Typed, stop: GateStop) -> bool:
    """A person does not want to."""
    found = typed.wanted(stop.details["code"])
    assert found
    return typed.decline(found[0])


def fill(typed: Typed, stop: GateStop, value: str = VALUE) -> bool:
    """A person types it."""
    found = typed.wanted(stop.details["code"])
    assert found
    return typed.fill(found[0], value)


def value(typed: Typed, name: str = "KEY", binding: str = "b1") -> str:
    """The call is repeated."""
    with asked_by(purpose(binding)):
        return typed.value(name)


def test_the_first_call_says_where_to_type_and_the_repeated_one_gets_it(typed: Typed) -> None:
    stop = required(typed)
    assert stop.details["how"] == "molecule-mcp page"
    assert "page" not in stop.details
    assert (stop.details["expires_in_s"], len(stop.details["code"])) == (600, 9)
    assert fill(typed, stop)
    assert [value(typed) for _ in range(3)] == [VALUE] * 3, "a plan is rehearsed before it is sent"


def test_a_repeated_call_is_told_the_same_code(typed: Typed) -> None:
    assert required(typed).details["code"] == required(typed).details["code"]


def test_where_this_process_serves_the_page_its_address_is_told(tmp_path: Path) -> None:
    typed = Typed(tmp_path, grants.code, page=lambda: "http://127.0.0.1:1", how="molecule-mcp page --state x")
    tmp_path.chmod(0o700)
    stop = required(typed)
    assert stop.details["page"] == f"http://127.0.0.1:1/secret/{stop.details['code']}"
    assert stop.details["how"] == "molecule-mcp page --state x"


@pytest.mark.parametrize(("name", "binding"), [("OTHER", "b1"), ("KEY", "b2")])
def test_no_other_name_and_no_other_call_gets_it(typed: Typed, name: str, binding: str) -> None:
    stop = required(typed)
    fill(typed, stop)
    assert required(typed, name, binding).details["code"] != stop.details["code"]


def test_a_call_inside_of_a_call_is_part_of_it(typed: Typed) -> None:
    fill(typed, required(typed))
    with asked_by(purpose()), asked_by(purpose("inner")):
        assert typed.value("KEY") == VALUE
    with pytest.raises(ArgumentError):
        typed.value("KEY")


def test_once_its_call_was_made_it_is_gone(typed: Typed, tmp_path: Path) -> None:
    first = required(typed)
    fill(typed, first)
    other = required(typed, binding="b2")
    fill(typed, other)
    typed.forget("b1")
    assert typed.wanted(first.details["code"]) is None
    assert value(typed, binding="b2") == VALUE
    assert required(typed).details["code"] != first.details["code"]
    typed.forget("b1")
    typed.forget("b2")
    assert list((tmp_path / "typed").iterdir()) == []


def test_a_second_value_does_not_replace_the_first(typed: Typed) -> None:
    stop = required(typed)
    assert fill(typed, stop)
    found = typed.wanted(stop.details["code"].replace("-", ""))
    assert found
    assert found[1] == "filled"
    assert not typed.fill(found[0], "another")
    assert value(typed) == VALUE


def test_what_nobody_typed_in_time_is_asked_for_anew(typed: Typed, clock: Clock) -> None:
    first = required(typed)
    clock.now += FILL
    assert typed.wanted(first.details["code"]) is None
    assert required(typed).details["code"] != first.details["code"]


def test_what_was_typed_is_deleted_after_its_time(typed: Typed, clock: Clock, tmp_path: Path) -> None:
    stop = required(typed)
    clock.now += FILL - 1
    fill(typed, stop)
    clock.now += LASTS - FILL
    assert value(typed) == VALUE
    clock.now += 1
    assert typed.wanted(stop.details["code"]) is None
    assert list((tmp_path / "typed").iterdir()) == []


def test_a_value_whose_call_ended_while_it_was_typed_does_not_stay(typed: Typed, tmp_path: Path) -> None:
    stop = required(typed)
    found = typed.wanted(stop.details["code"])
    assert found
    typed.forget("b1")
    typed.fill(found[0], VALUE)
    assert typed.wanted(stop.details["code"]) is None
    assert list((tmp_path / "typed").iterdir()) == []


@pytest.mark.parametrize("size", [0, private.LARGEST + 1])
def test_a_value_has_a_size(typed: Typed, size: int) -> None:
    with pytest.raises(ArgumentError, match="1 to 65536 bytes"):
        fill(typed, required(typed), "x" * size)


def test_files_are_for_us_alone(typed: Typed, tmp_path: Path) -> None:
    fill(typed, required(typed))
    folder = tmp_path / "typed"
    assert [folder.stat().st_mode & 0o777, *(each.stat().st_mode & 0o777 for each in folder.iterdir())] == [
        0o700, 0o600, 0o600
    ]  # fmt: skip


@pytest.mark.parametrize("junk", ["[1]", "{}", "{", "null", '{"code": 1}', "\xff", "[" * 100_000])
def test_a_damaged_request_concerns_its_own_code_alone_and_goes_in_time(
    typed: Typed, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture, junk: str
) -> None:
    folder = tmp_path / "typed"
    fill(typed, required(typed))
    damaged = folder / "7F3K92QD.json"
    damaged.write_bytes(junk.encode("latin-1"))
    damaged.chmod(0o600)
    (folder / "7F3K92QD.value").write_text("typed-for-nobody")
    os.utime(damaged, (clock.now, clock.now))
    assert value(typed) == VALUE
    typed.withdraw("7F3K-92QD")
    for code in ("7F3K-92QD", "7F3K92QD"):
        with pytest.raises(StoreError, match=r"7F3K92QD\.json is damaged or not private"):
            typed.wanted(code)
    assert typed.wanted("0000-0000") is None
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("the request 7F3K92QD.json for a secret cannot be read (")
    clock.now += RESTS - 1
    typed.forget("b1")
    assert damaged.exists()
    clock.now += 1
    typed.forget("b1")
    assert list(folder.iterdir()) == []
    assert typed.wanted("7F3K-92QD") is None


def test_what_stands_where_a_request_should_and_cannot_be_deleted_stops_nobody(
    typed: Typed, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = required(typed)
    [request] = (tmp_path / "typed").iterdir()
    folder = request.with_name(f"{stop.details['code']}.json")
    folder.mkdir()
    os.utime(folder, (clock.now - RESTS, clock.now - RESTS))
    assert fill(typed, stop)
    assert value(typed) == VALUE
    assert f"{folder.name} cannot be deleted: Is a directory" in caplog.messages


def test_a_request_that_was_moved_or_has_no_end_is_damaged(typed: Typed, clock: Clock, tmp_path: Path) -> None:
    stop = required(typed)
    [request] = (tmp_path / "typed").iterdir()
    whole = request.read_text()
    other = request.with_name("7F3K92QD.json")
    private.create(other, whole.encode())
    request.write_text(whole.replace(str(clock.now), "NaN"))
    for each in (request, other):
        os.utime(each, (clock.now, clock.now))
    for code in ("7F3K-92QD", stop.details["code"]):
        with pytest.raises(StoreError, match="is damaged"):
            typed.wanted(code)
    request.write_text(whole)
    found = typed.wanted(stop.details["code"])
    assert found
    assert found[1] == "open"


def test_a_request_that_others_can_read_is_not_believed(typed: Typed, tmp_path: Path) -> None:
    stop = required(typed)
    [request] = (tmp_path / "typed").iterdir()
    request.chmod(0o644)
    with pytest.raises(StoreError, match="not private"):
        typed.wanted(stop.details["code"])
    assert required(typed).details["code"] != stop.details["code"]


def test_a_value_that_is_no_text_is_named(typed: Typed, tmp_path: Path) -> None:
    fill(typed, required(typed))
    [kept] = (tmp_path / "typed").glob("*.value")
    kept.write_bytes(b"\xff")
    with asked_by(purpose()), pytest.raises(StoreError, match=f"{kept.name} of a typed secret is damaged"):
        typed.value("KEY")
    kept.chmod(0o644)
    with asked_by(purpose()), pytest.raises(StoreError, match="other users; its mode"):
        typed.value("KEY")


def test_what_a_killed_process_did_not_finish_writing_does_not_stay(typed: Typed, clock: Clock, tmp_path: Path) -> None:
    required(typed)
    draft = tmp_path / "typed" / f".0123456789abcdef{private.DRAFT}"
    draft.write_text(VALUE)
    os.utime(draft, (clock.now, clock.now))
    clock.now += DRAFTS - 1
    typed.forget("b2")
    assert draft.exists(), "its process may be writing it"
    clock.now += 1
    typed.forget("b2")
    assert not draft.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    typed = Typed(tmp_path / "file" / "typed", grants.code)
    with asked_by(purpose()), pytest.raises(StoreError, match="nothing was sent"):
        typed.value("KEY")


def test_a_request_that_vanishes_while_it_is_read_is_gone(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = required(typed)

    def gone(_folder: Path, _name: str) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(private, "read", gone)
    assert typed.wanted(stop.details["code"]) is None


def test_without_posix_there_is_no_page(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_secrets.private, "POSIX", False)
    with asked_by(purpose()), pytest.raises(ArgumentError, match="no page"):
        typed.value("KEY")


def test_while_one_secret_is_asked_for_nobody_is_asked_for_another(typed: Typed, clock: Clock) -> None:
    first = required(typed)
    clock.now += 100
    second = stopped(typed, purpose("b2"))
    assert second.told() == {
        "error": "question_open",
        "message": f"The person is asked for another secret, page:KEY, code {first.details['code']}; nothing was sent.",
        "sent": False,
        "advice": "Have that one typed first, or declined on its page; several secrets are one run_plan.",
        "seconds": 501,
        "how": "molecule-mcp page",
    }
    assert stopped(typed, purpose(), "OTHER").kind == "question_open"
    assert stopped(typed, purpose("b2", principal="http:other")).kind == "secret_required", "asked of somebody else"
    fill(typed, first)
    required(typed, binding="b2")


def test_what_nobody_answers_makes_room_in_time(typed: Typed, clock: Clock) -> None:
    required(typed)
    clock.now += FILL
    required(typed, binding="b2")


def test_after_two_noes_to_a_tool_nobody_is_asked_for_it_any_more(typed: Typed, clock: Clock) -> None:
    assert decline(typed, required(typed))
    clock.now += 60
    second = required(typed, binding="b2")
    assert decline(typed, second)
    assert not decline(typed, second)
    rests = stopped(typed, purpose("b3"), "OTHER")
    assert (rests.kind, rests.details) == ("cooling_off", {"seconds": int(RESTS) - 60 + 1})
    assert stopped(typed, purpose("b3", tool="update_channel")).kind == "secret_required"
    assert stopped(typed, purpose("b3", principal="http:other")).kind == "secret_required"
    typed.forget("b1")
    clock.now += RESTS - 61
    assert stopped(typed, purpose("b3")).kind == "cooling_off"
    clock.now += 1
    required(typed, binding="b3")


def test_one_no_is_no_rest_and_a_no_takes_no_value(typed: Typed) -> None:
    stop = required(typed)
    decline(typed, stop)
    found = typed.wanted(stop.details["code"])
    assert found
    assert found[1] == "declined"
    assert required(typed).details["code"] != stop.details["code"]


def test_what_was_typed_cannot_be_declined_and_what_ended_is_withdrawn(typed: Typed, tmp_path: Path) -> None:
    stop = required(typed)
    typed.withdraw("7F3K-92QD")
    assert typed.wanted(stop.details["code"])
    typed.withdraw(stop.details["code"])
    assert list((tmp_path / "typed").iterdir()) == []
    stop = required(typed)
    fill(typed, stop)
    typed.withdraw(stop.details["code"])
    assert not decline(typed, stop)
    assert value(typed) == VALUE
