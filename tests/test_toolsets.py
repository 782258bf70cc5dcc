"""Which tools are offered, by toolset, by name, and less what is left out."""

from typing import Any

import pytest

from molecule_mcp import toolsets
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.prepared import entries
from molecule_mcp.settings import Selection

NOTHING = Selection()


def offered(environment: Selection = NOTHING, flags: Selection = NOTHING) -> set[str]:
    return set(toolsets.offered(entries(), environment, flags))


def of(family: str) -> set[str]:
    return {name for name, entry in entries().items() if entry.family == family}


def test_with_nothing_said_the_short_list_is_offered_and_all_of_it_exists() -> None:
    assert offered() == toolsets.DEFAULT
    assert offered(Selection(("default",))) == offered()
    assert offered(Selection(("all",))) == set(entries())


def test_toolsets_add_up_and_single_tools_come_on_top() -> None:
    assert offered(Selection(("secrets", "approvals"), ("list_workspaces",))) == (
        of("secrets") | of("approvals") | {"list_workspaces"}
    )
    assert offered(Selection(tools=("list_workspaces",))) == {"list_workspaces"}


def test_what_is_left_out_stays_out_whoever_asks_for_it() -> None:
    without = Selection(without=("delete_workspace",))
    assert offered(without) == offered() - {"delete_workspace"}
    assert offered(flags=without) == offered() - {"delete_workspace"}
    assert offered(without, Selection(("workspaces",))) == of("workspaces") - {"delete_workspace"}
    assert offered(without, Selection(tools=("delete_workspace",))) == set()
    assert offered(Selection(("secrets",), (), ("list_global_secrets",))) == of("secrets") - {"list_global_secrets"}


def test_flags_narrow_what_the_environment_offers_and_never_widen_it() -> None:
    assert offered(Selection(("secrets", "access")), Selection(("access",))) == of("access")
    assert offered(flags=Selection(("access",))) == of("access")
    with pytest.raises(ConfigurationError, match="the environment does not offer"):
        offered(Selection(("secrets",)), Selection(("secrets", "access")))
    with pytest.raises(ConfigurationError, match="the environment does not offer"):
        offered(Selection(("secrets",)), Selection(tools=("list_workspaces",)))


def test_an_unknown_name_lists_the_valid_ones() -> None:
    with pytest.raises(ConfigurationError, match="no toolset 'secret'") as wrong:
        offered(Selection(("secret",)))
    assert all(name in str(wrong.value.advice) for name in ("all", "default", "secrets", "workspaces"))
    for selection in (Selection(tools=("list_workspace",)), Selection(without=("list_workspace",))):
        with pytest.raises(ConfigurationError, match="no tool 'list_workspace'") as wrong:
            offered(flags=selection)
        assert "list_workspaces" in str(wrong.value.advice)
    with pytest.raises(ConfigurationError, match="no tool") as wrong:
        offered(Selection(tools=("zzzzzzzzzz",)))
    assert "--toolsets all" in str(wrong.value.advice)


def test_a_tool_that_is_not_offered_is_answered_with_how_to_get_it() -> None:
    told = toolsets.missing("set_global_secret", ["list_workspaces"], entries())
    assert "not offered" in told.message
    assert "--tools set_global_secret" in str(told.advice)
    assert "list_workspaces" in str(toolsets.missing("list_workspace", ["list_workspaces"], entries()).advice)
    for stranger in ("x", "search_tools"):
        told = toolsets.missing(stranger, toolsets.DEFAULT, entries())
        assert told.advice == "tools/list shows those there are; on the command line `molecule-mcp tools`."


def test_advice_that_names_a_tool_that_is_not_offered_says_how_to_get_it() -> None:
    def added(**told: Any) -> str:
        return toolsets.unoffered(told, toolsets.DEFAULT, entries())

    line = "set_budget is not offered here; a person adds it: --tools set_budget"
    assert added(advice="set_budget raises it.") == line
    assert added(findings=["fine", "refused until set_budget raises the limit."]) == line
    assert added(broken=[{"why": "see list_activity"}], note="or set_budget") == (
        "list_activity, set_budget are not offered here; a person adds them: --tools list_activity --tools set_budget"
    )
    assert added(error="arguments", message="`id` from list_templates.").endswith("--tools list_templates")
    silent: list[dict[str, Any]] = [
        {"advice": "pause_workspace stops it."},
        {"error": "arguments", **toolsets.missing("set_budget", [], entries()).told()},
        {"error": "refused", "message": "the tenant wrote set_budget"},
        {"name": "set_budget", "rows": [["set_budget"]]},
        {"findings": ['Its last error: "use "set_budget" now"']},
    ]
    assert [added(**told) for told in silent] == [""] * len(silent)


def test_what_no_tool_does_on_purpose_is_answered_with_why() -> None:
    told = toolsets.missing("get_workspace_secret_values", ["list_workspace_secrets"], entries())
    assert "its answer is secrets" in told.message
