"""Expressions that could never match are told apart from all others."""

import pytest

from molecule_mcp.tools.cron import complaint


@pytest.mark.parametrize(
    "expression", ["0 0 31 2 *", "0 0 30 feb ?", "0 0 31 4,6,9,11 *", "0 0 30-31 2-2 *", "0 0 31/1 2 *"]
)
def test_a_date_that_never_comes_is_told(expression: str) -> None:
    assert "never comes" in str(complaint(expression))


@pytest.mark.parametrize("expression", ["", "@daily", "* * * *", "0 0 * * * *"])
def test_anything_but_five_fields_is_told(expression: str) -> None:
    assert "five fields" in str(complaint(expression))


@pytest.mark.parametrize(
    "expression",
    ["0 9 * * 1-5", "0 0 29 2 *", "*/5 * * * *", "0 0 31 2 1", "0 0 31 */2 *", "0 0 x 2 *", "0 0 31 2-1 *",
     "0 0 5-x 2 *", "0 0 */0 2 *", "0 0 1,! 2 *", "0 0 1/2 jan-mar ?"],
)  # fmt: skip
def test_everything_else_is_left_to_the_tenant(expression: str) -> None:
    assert complaint(expression) is None
