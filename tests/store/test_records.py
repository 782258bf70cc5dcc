"""The protocol, and the implementation that claims to be one."""

import inspect

from molecule_mcp.store.records import Store
from molecule_mcp.store.sqlite import SqliteStore


def test_the_sqlite_store_has_the_methods_of_the_protocol_with_their_very_parameters(store: SqliteStore) -> None:
    kept: Store = store
    asked = {name: each for name, each in vars(Store).items() if inspect.isfunction(each) and name[0] != "_"}
    given = {name: getattr(type(kept), name) for name in asked}
    assert {name: inspect.signature(each) for name, each in given.items()} == {
        name: inspect.signature(each) for name, each in asked.items()
    }
