"""A small search and a few histories, and sown faults that they find; `make explore` goes deeper."""

import pytest

from tests.explore.machine import played
from tests.explore.mutants import MUTANTS, Mutant, searched
from tests.explore.search import explored


def test_nothing_leaves_without_a_yes_whatever_happens_in_three_steps() -> None:
    found = explored(3)
    assert found.violations == []
    assert found.states > 500


def test_nothing_leaves_without_a_yes_in_random_histories_over_the_real_store() -> None:
    played(15, derandomize=True)


@pytest.mark.parametrize("mutant", [MUTANTS[1], MUTANTS[4], MUTANTS[14]], ids=lambda mutant: mutant.name)
def test_a_sown_fault_is_found(mutant: Mutant) -> None:
    assert searched(mutant, ("tests.explore.search", "--processes", "1", "--depth", "3"))
