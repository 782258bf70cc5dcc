"""The faults that are sown are the ones meant, and a fault lives exactly when no test fails for it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.mutation.__main__ import ROOMS, cases_of, equivalents
from tests.mutation.running import ROOT
from tests.mutation.sowing import faults

TINY = '"""Words."""\n\ndef grown(age: int) -> bool:\n    """Words."""\n    return age >= 18\n'

SHAPES = """
from functools import cache, wraps

LEAST = 18


def checked(function):
    @wraps(function)
    def inner(age):
        return function(age) and age < 150
    return inner


@checked
def grown(age):
    return age >= LEAST


class Person:
    def __init__(self, age):
        self.age = age

    @property
    def old(self):
        return self.age > 60

    @staticmethod
    def unseen():
        return 1


@cache
def doubled(number):
    return number * 2


def outer(number):
    def inside():
        return number + 1
    return inside()


def asked(name="nobody"):
    return len(name)


EARLY = asked()
"""
"""Functions of every shape, one constant and one line that runs as the module is loaded."""

TESTS = """
import tiny

def test_grown() -> None:
    assert tiny.grown(18) and not tiny.grown(17) and not tiny.grown(150)

def test_old() -> None:
    assert tiny.Person(61).old

def test_first() -> None:
    assert tiny.doubled(3)

def test_doubled() -> None:
    assert tiny.doubled(3) == 6

def test_outer() -> None:
    assert tiny.outer(1) == 2

def test_early() -> None:
    assert tiny.EARLY == 6
"""

JUDGE = """
    import sys
    from dataclasses import replace
    from pathlib import Path
    from tests.mutation.cases import Case
    from tests.mutation.judging import judged, shown_to
    from tests.mutation.reach import reached
    from tests.mutation.running import warm
    from tests.mutation.sowing import faults

    warm(())
    copy, way = Path(sys.argv[1]), sys.argv[2]
    source = (copy / "tiny.py").read_text()
    reach = reached(copy, ("test_tiny.py",), ["tiny.py"])
    cases = [shown_to(Case("tiny.py", fault, ("test_tiny.py",)), reach) for fault in faults(source)][::int(sys.argv[3])]
    if way == "anew":
        cases = [replace(case, anew=True) for case in cases]
    for case, verdict in judged(cases, [copy], reach.seconds):
        tests = "-" if case.anew and way != "anew" else len(case.tests)
        print(verdict, tests, case.fault.name)
"""


def told(folder: Path, module: str, tests: str, way: str = "in place", each: int = 1) -> list[str]:
    """For each fault of a module: the verdict, how many tests saw it (- for one loaded anew), and its name."""
    (folder / "tiny.py").write_text(module)
    (folder / "test_tiny.py").write_text(tests)
    command = [sys.executable, "-c", textwrap.dedent(JUDGE), str(folder), way, str(each)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
    return sorted(run.stdout.splitlines())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a < b", ["a < b -> a <= b"]),
        ("a and b", ["a and b -> a or b"]),
        ("not a", ["not a -> a"]),
        ("if a:\n    b", ["a -> not a"]),
        ("a + 1", ["a + 1 -> a - 1", "1 -> 2"]),
        ("a = True", ["True -> False"]),
        ("a = 'b'", ["'b' -> 'XXb'"]),
        ("raise a", ["raise a -> pass"]),
        ("def a():\n    return b", ["return b -> return None"]),
        ("a = AnError('a', b=c)", ["AnError('a', b=c) -> AnError('a')", "'a' -> 'XXa'"]),
        ("a = AnError(f'a b {1}')", ["1 -> 2"]),
        ("a = b(c, d=e)", ["b(c, d=e) -> b(None, d=e)", "b(c, d=e) -> b(c)"]),
    ],
)
def test_each_kind_of_fault_is_sown(source: str, names: list[str]) -> None:
    assert [fault.name.split(": ", 1)[1] for fault in faults(source)] == names


@pytest.mark.parametrize(
    "source",
    [
        "'words'",
        "import a",
        "@a(b=1)\nclass C:\n    d: 'E'",
        "a: Literal['b']",
        "a = Literal['b']",
        "a = TypeVar('a')",
        "cast('A', b)",
        "SomeError('a b', advice='c')",
        "SomeError(f'{a}: {b}')",
    ],
)
def test_what_no_test_could_notice_is_left_alone(source: str) -> None:
    assert [fault.name for fault in faults(source) if "(None" not in fault.new and fault.new != "pass"] == []


def test_a_fault_changes_nothing_but_its_node() -> None:
    [number] = [fault for fault in faults(TINY) if fault.old == "18"]
    assert (number.place, number.line) == ("grown", 5)
    assert number.sown() == TINY.replace("18", "19")


@pytest.mark.parametrize("way", ["in place", "anew"])
def test_a_fault_lives_exactly_when_no_test_fails_for_it(tmp_path: Path, way: str) -> None:
    tests = "import tiny\n\ndef test_grown() -> None:\n    assert tiny.grown(19)\n    assert not tiny.grown(17)\n"
    assert told(tmp_path, TINY, tests, way) == [
        "killed 1 grown: return age >= 18 -> return None",
        "survived 1 grown: 18 -> 19",
        "survived 1 grown: age >= 18 -> age > 18",
    ]


@pytest.fixture(scope="module")
def in_place(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return told(tmp_path_factory.mktemp("place"), SHAPES, TESTS)


@pytest.mark.parametrize(
    "found",
    [
        "killed 1 grown: age >= LEAST -> age > LEAST",
        "killed 1 checked.inner: age < 150 -> age <= 150",
        "killed 1 checked.inner: function(age) and age < 150 -> function(age) or age < 150",
        "killed 1 Person.old: return self.age > 60 -> return None",
        "killed 2 doubled: number * 2 -> number + 2",
        "killed 1 outer.inside: number + 1 -> number - 1",
    ],
)
def test_a_fault_in_a_function_of_any_shape_is_found_in_the_loaded_program(in_place: list[str], found: str) -> None:
    assert found in in_place


@pytest.mark.parametrize(
    "found",
    [
        "killed - : 18 -> 19",
        "killed - asked: 'nobody' -> 'XXnobody'",
        "killed - asked: return len(name) -> return None",
    ],
)
def test_a_fault_in_what_runs_as_the_program_is_loaded_is_loaded_with_it(in_place: list[str], found: str) -> None:
    assert found in in_place


def test_a_fault_where_no_test_runs_lives(in_place: list[str]) -> None:
    assert "survived 0 Person.unseen: 1 -> 2" in in_place


# Every third fault, since the program is loaded for each.
def test_both_ways_come_to_the_same(tmp_path: Path, in_place: list[str]) -> None:
    def verdicts(lines: list[str]) -> list[tuple[str, str]]:
        return sorted((name, verdict) for verdict, _, name in (line.split(" ", 2) for line in lines))

    anew = verdicts(told(tmp_path, SHAPES, TESTS, "anew", each=3))
    assert len(anew) > 5
    assert set(anew) <= set(verdicts(in_place))


def test_a_fault_that_never_ends_is_found_by_time(tmp_path: Path) -> None:
    module = "def last(number):\n    while number > 1:\n        number = number - 1\n    return number\n"
    tests = "import tiny\n\ndef test_last() -> None:\n    assert tiny.last(3) == 1\n"
    assert "timeout 1 last: number - 1 -> number + 1" in told(tmp_path, module, tests)


def test_tests_that_fail_without_a_fault_judge_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="fail without a fault"):
        told(tmp_path, TINY, "def test_grown() -> None:\n    assert False\n")


def test_every_room_has_faults_and_tests_that_are_there() -> None:
    for room in ROOMS.values():
        cases = cases_of(room)
        assert all((ROOT / each).exists() for each in cases[0].tests)


def test_what_is_listed_as_equivalent_is_sown() -> None:
    sown = {(case.path, case.fault.name) for room in ROOMS.values() for case in cases_of(room)}
    assert [(path, name) for path, names in equivalents().items() for name in names if (path, name) not in sown] == []
