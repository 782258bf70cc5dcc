"""Which workspaces a name may mean: those that hold its words, or are spelled like it, and nobody else."""

from molecule_mcp.tools.naming import Known, candidates, near

TOP = Known(id="1", name="Marketing", status="online")
LEAD = Known(id="2", name="Marketing Lead", status="paused", parent_id="1")
ANALYST = Known(id="3", name="Market\u202e Analyst", status="online", parent_id="gone")
ROWS = [LEAD, TOP, ANALYST]


def test_the_very_name_in_any_case_comes_before_those_that_hold_it() -> None:
    assert near(ROWS, "mARKETING") == [TOP, LEAD]


def test_words_are_found_in_any_order() -> None:
    assert near(ROWS, "lead marketing") == [LEAD]
    assert near(ROWS, "lead finance") == []


def test_a_typing_error_still_finds_the_name() -> None:
    assert near(ROWS, "Markting Laed") == [LEAD, TOP]


def test_a_candidate_tells_whose_child_it_is_in_clean_text() -> None:
    assert [each.model_dump() for each in candidates(ROWS, [LEAD, ANALYST])] == [
        {"id": "2", "name": "Marketing Lead", "status": "paused", "under": "Marketing"},
        {"id": "3", "name": "Market Analyst", "status": "online", "under": ""},
    ]


def test_what_somebody_wrote_at_length_is_cut() -> None:
    endless = Known(id="4", name="M" * 5000, status="s" * 5000, parent_id="5")
    [shown] = candidates([endless, Known(id="5", name="P" * 5000, status="online")], [endless])
    assert (shown.name, shown.status, shown.under) == ("M" * 100, "s" * 100, "P" * 100)
