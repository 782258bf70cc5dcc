"""The protocol, and the implementation that claims to be one."""

import inspect

from tests.store import making

from molecule_mcp.store.records import KEPT, RESTS, Grant, Outcome, Question, Step, Store
from molecule_mcp.store.sqlite import SqliteStore


def test_the_sqlite_store_has_the_methods_of_the_protocol_with_their_very_parameters(store: SqliteStore) -> None:
    kept: Store = store
    asked = {name: each for name, each in vars(Store).items() if inspect.isfunction(each) and name[0] != "_"}
    given = {name: getattr(type(kept), name) for name in asked}
    assert {name: inspect.signature(each) for name, each in given.items()} == {
        name: inspect.signature(each) for name, each in asked.items()
    }


def test_what_is_not_said_is_nothing() -> None:
    assert Step("allow", 0, {}, "GET", "/", "", {}) == Step("allow", 0, {}, "GET", "/", "", {}, "", 0, "")
    assert Question((), (), None) == Question((), (), None, (), ())
    assert Grant("none", "allow", 1.0) == Grant("none", "allow", 1.0, "", "", "")
    assert Outcome("done", 200, 1.0) == Outcome("done", 200, 1.0, "")


def test_a_person_is_asked_about_a_plan_unless_it_says_otherwise() -> None:
    assert making.plan().asks is True


def test_a_target_rests_for_half_an_hour_and_a_call_is_kept_for_a_day() -> None:
    assert (RESTS, KEPT) == (30 * 60, 24 * 60 * 60)
