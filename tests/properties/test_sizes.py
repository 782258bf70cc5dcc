"""The tool list stays small: a model reads all of it before it does anything."""

import pytest
from benchmarks import sizes

AS_KEPT = {"all": 100_000, "all without output schemas": 70_000, "default": 20_000}


def test_no_list_is_too_large_or_grew_unseen() -> None:
    assert sizes.complaints(sizes.measured()["lists"], sizes.kept()["lists"]) == []


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("all", 115_001, "115001 bytes, at most 115000"),
        ("all without output schemas", 73_501, "73501 bytes, more than 5 % above"),
        ("default", 21_001, "21001 bytes, more than 5 % above"),
    ],
)
def test_a_list_that_is_too_large_or_grew_is_named(name: str, size: int, said: str) -> None:
    found = sizes.complaints({**AS_KEPT, name: size}, AS_KEPT)
    assert found[0].startswith(f"{name}: {said}")
    assert sizes.complaints({name: size * 21 // 20 for name, size in AS_KEPT.items()}, AS_KEPT) == []


def test_sizes_are_bytes_of_what_is_sent_without_blanks() -> None:
    assert sizes.weight([{"é": 1}, {}]) == len('[{"é":1},{}]'.encode())
    lists = sizes.measured()["lists"]
    assert lists["default"] < lists["all without output schemas"] < lists["all"]
    assert abs(sum(sizes.measured()["tools"].values()) - lists["all"]) == len(sizes.measured()["tools"]) + 1
