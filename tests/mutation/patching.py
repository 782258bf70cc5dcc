"""A fault put into a program that is loaded already: the code of its functions is changed where they are."""

import gc
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import _lru_cache_wrapper  # pyright: ignore[reportPrivateUsage]
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

Live = Sequence[tuple[int, FunctionType]]
"""Functions of one module that are loaded, each with the place of its code among all the code of the module."""
Patch = Sequence[tuple[FunctionType, CodeType]]


def codes(source: str, path: Path) -> list[CodeType]:
    """All the code of a module: its own, and that of every class, function and comprehension in it."""
    return list(nested(compile(source, str(path), "exec", dont_inherit=True)))


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code and all code inside it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from nested(each)


def functions() -> dict[str, list[FunctionType]]:
    """Every function of this process, by the file that it comes from."""
    found: dict[str, list[FunctionType]] = {}
    for each in gc.get_objects():
        if type(each) is FunctionType:
            found.setdefault(each.__code__.co_filename, []).append(each)
    return found


def live(source: str, path: Path, every: dict[str, list[FunctionType]]) -> Live:
    """The functions of a module; KeyError when one of them is not of this source."""
    keys = [(code.co_qualname, code.co_firstlineno) for code in codes(source, path)]
    place, often = {key: at for at, key in enumerate(keys)}, Counter(keys)
    return [
        (place[key] if often[key] == 1 else -1, function)
        for function in every.get(str(path), [])
        for key in [(function.__code__.co_qualname, function.__code__.co_firstlineno)]
    ]


def patch(original: str, faulty: str, path: Path, loaded: Live) -> Patch | None:
    """The code that a module's functions have when the fault is in it; None where the module must be loaded anew.

    That is where the fault adds code or takes it away, where it changes which outer names a function uses, and where
    it stands in one of two functions that no name or line tells apart.
    """
    old, new = codes(original, path), codes(faulty, path)
    if [code.co_qualname for code in old] != [code.co_qualname for code in new]:
        return None
    if any(at < 0 or old[at].co_freevars != new[at].co_freevars for at, _ in loaded):
        return None
    return [(function, new[at]) for at, function in loaded]


def apply(changes: Patch) -> None:
    """Change the code of loaded functions."""
    for function, code in changes:
        function.__code__ = code


def forget(files: Collection[str]) -> None:
    """Empty every cache of a function of these files: what it worked out, it works out again."""
    for each in gc.get_objects():
        if type(each) is _lru_cache_wrapper and source_of(each) in files:
            each.cache_clear()


def source_of(cached: Any) -> str:
    """The file that a function with a cache comes from."""
    inner = cached.__wrapped__
    return inner.__code__.co_filename if isinstance(inner, FunctionType) else ""
