"""The faults that are sown are the ones meant, and a fault lives exactly when no test fails for it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.mutation.__main__ import ROOMS, cases_of, equivalents
from tests.mutation.judging import ROOT
from tests.mutation.sowing import faults

TINY = '"""Words."""\n\ndef grown(age: int) -> bool:\n    """Words."""\n    return age >= 18\n'

JUDGE = """
    import sys
    from pathlib import Path
    from tests.mutation.judging import Case, judged, warm
    from tests.mutation.sowing import faults

    warm(())
    copy = Path(sys.argv[1])
    source = (copy / "tiny.py").read_text()
    cases = [Case("tiny.py", fault, ("test_tiny.py",)) for fault in faults(source)]
    for case, verdict in judged(cases, [copy], 60):
        print(verdict, case.fault.name)
"""


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
        ("a = b(c, d=e)", ["b(c, d=e) -> b(None, d=e)", "b(c, d=e) -> b(c)"]),
    ],
)
def test_each_kind_of_fault_is_sown(source: str, names: list[str]) -> None:
    assert [fault.name.split(": ", 1)[1] for fault in faults(source)] == names


@pytest.mark.parametrize(
    "source",
    ["'words'", "import a", "@a(b=1)\nclass C:\n    d: 'E'", "a: Literal['b']", "cast('A', b)", "SomeError('a')"],
)
def test_what_no_test_could_notice_is_left_alone(source: str) -> None:
    assert [fault.name for fault in faults(source) if "(None" not in fault.new and fault.new != "pass"] == []


def test_a_fault_changes_nothing_but_its_node() -> None:
    [number] = [fault for fault in faults(TINY) if fault.old == "18"]
    assert (number.place, number.line) == ("grown", 5)
    assert number.sown() == TINY.replace("18", "19")


def test_a_fault_lives_exactly_when_no_test_fails_for_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(TINY)
    (tmp_path / "test_tiny.py").write_text(
        "import tiny\n\ndef test_grown() -> None:\n    assert tiny.grown(19)\n    assert not tiny.grown(17)\n"
    )
    command = [sys.executable, "-c", textwrap.dedent(JUDGE), str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(run.stdout.splitlines()) == [
        "killed grown: return age >= 18 -> return None",
        "survived grown: 18 -> 19",
        "survived grown: age >= 18 -> age > 18",
    ]


def test_every_room_has_faults_and_tests_that_are_there() -> None:
    for room in ROOMS.values():
        cases = cases_of(room)
        assert all((ROOT / each).exists() for each in cases[0].tests)


def test_what_is_listed_as_equivalent_is_sown() -> None:
    sown = {(case.path, case.fault.name) for room in ROOMS.values() for case in cases_of(room)}
    assert [(path, name) for path, names in equivalents().items() for name in names if (path, name) not in sown] == []
