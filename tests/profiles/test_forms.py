"""A policy file is read strictly: whatever is not exactly right stops the start and names its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecule_mcp.capability import Risk
from molecule_mcp.errors import ConfigurationError
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import forms
from tests.profiles.making import NOW, ONE, TWO, text


def read(content: str | bytes) -> forms.Written:
    """The profile `support` of a file."""
    data = content.encode() if isinstance(content, str) else content
    return forms.profiles(data, "p.toml", entries(), NOW)["support"]


def refused(content: str | bytes) -> str:
    """The error a file ends in, as one text."""
    with pytest.raises(ConfigurationError) as error:
        read(content)
    return f"{error.value.message} {error.value.advice}"


def test_a_profile_says_what_it_may_do_and_nothing_more() -> None:
    found = read(
        text(
            f'workspaces = ["{ONE}", "{TWO}"]',
            'allow = ["secrets", "list_workspaces"]',
            'deny = ["delete_workspace_secret"]',
            'ask_from = "disrupt"',
            'confirm = "strict"',
            'origin = "https://ACME.example/"',
            'credential = "env:ACME_KEY"',
        )
    )
    assert (found.role, found.workspaces, found.expires) == ("WORKSPACE-WRITE", {ONE, TWO}, 1_801_440_000.0)
    assert found.allow is not None and {"list_workspaces", "set_workspace_secret"} <= found.allow
    assert "list_channels" not in found.allow
    assert found.deny == {"delete_workspace_secret"}
    assert (found.ask_from, found.strict) == (Risk.DISRUPT, True)
    assert (found.origin, str(found.credential)) == ("https://acme.example", "env:ACME_KEY")


def test_what_is_left_out_narrows_nothing_and_asks_as_usual() -> None:
    found = read(text())
    assert (found.workspaces, found.allow, found.deny) == (None, None, frozenset())
    assert (found.ask_from, found.strict, found.origin, found.credential) == (Risk.DESTROY, False, None, None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff", "it is no TOML"),
        ("version = ?\n", "it is no TOML, at line 1"),
        ("", "version is required; profile is required"),
        ("version = 1", "profile is required"),
        ("version = 1\n[profile]", "profile has too few entries: at least 1"),
        (text().replace("version = 1", "version = 2"), "version must be at most 1"),
        (text().replace("version = 1", "version = true"), "version"),
        (text() + "[extra]\n", "extra is not known"),
        (text(name='"Support Team"'), "does not have the form"),
        (text("rol = 1"), "profile.support.rol is not known"),
        (text("budget = {calls_per_hour = 1}"), "profile.support.budget is not known"),
        (text(role="ADMIN"), "profile.support.role must be one of"),
        (text(role="read"), "profile.support.role must be one of"),
        (text().replace('role = "WORKSPACE-WRITE"\n', ""), "profile.support.role is required"),
        (text().replace("expires = 2027-02-01T00:00:00Z\n", ""), "profile.support.expires is required"),
        (text(expires="2027-02-01"), "profile.support.expires must be a date and time"),
        (text(expires="2027-02-01T00:00:00"), "profile.support.expires must say its zone"),
        (text(expires='"2027-02-01T00:00:00Z"'), "profile.support.expires must be a date and time"),
        (text(expires="1801440000"), "profile.support.expires must be a date and time"),
        (text(expires="2027-05-01T00:00:00Z"), "more than 90 days ahead"),
        (text("max_days = 9999"), "max_days must be at most 3650"),
        (text("max_days = 0"), "max_days must be at least 1"),
        (text('workspaces = ["*"]'), "profile.support.workspaces.0 does not have the form"),
        (text('workspaces = ["Marketing Lead"]'), "profile.support.workspaces.0 does not have the form"),
        (text(f'workspaces = "{ONE}"'), "profile.support.workspaces must be a list"),
        (text("workspaces = []"), "workspaces is empty"),
        (text('roots = ["*"]'), "profile.support.roots.0 does not have the form"),
        (text("roots = []"), "profile.support.roots has too few entries: at least 1"),
        (text("allow = []"), "profile.support.allow has too few entries: at least 1"),
        (text('allow = ["list_*"]'), "profile.support.allow holds a wildcard"),
        (text('deny = ["*"]'), "profile.support.deny holds a wildcard"),
        (text('deny = ["delete_workspaces"]'), "neither a tool nor a toolset"),
        (text('deny = ["delete_workspaces"]'), "delete_workspace"),
        (text('ask_from = "critical"'), "profile.support.ask_from must be one of"),
        (text('ask_from = "never"'), "profile.support.ask_from must be one of"),
        (text('confirm = "none"'), "profile.support.confirm must be one of"),
        (text('origin = "http://acme.example"'), "profile.support.origin is not the address of a tenant"),
        (text('origin = "https://*.example"'), "profile.support.origin is not the address of a tenant"),
        (text('credential = "env:ACME_KEY"'), "credential needs origin"),
        (text('credential = "s3cret"', 'origin = "https://acme.example"'), "says no place of a key"),
        (
            text('credential = "workspace-token:env:K"', 'origin = "https://a.example"', role="ORG-ADMIN"),
            "a workspace-token needs role",
        ),
        (
            text('credential = "workspace-token:env:K"', 'origin = "https://a.test"', f"workspaces = {[ONE, TWO]}"),
            "exactly its own id",
        ),
    ],
)  # fmt: skip
def test_a_broken_file_stops_the_start_and_names_the_place(content: str | bytes, told: str) -> None:
    said = refused(content)
    assert told in said
    assert "s3cret" not in said


def test_more_days_ahead_are_had_by_saying_so() -> None:
    assert read(text("max_days = 365", expires="2027-05-01T00:00:00Z")).expires == 1_809_129_600.0


def test_a_profile_that_has_expired_does_not_break_the_others() -> None:
    data = (text() + text(name="old", expires="2020-01-01T00:00:00Z").removeprefix("version = 1\n")).encode()
    assert set(forms.profiles(data, "p.toml", entries(), NOW)) == {"support", "old"}


def test_no_name_is_a_tool_and_a_toolset_at_once() -> None:
    assert not {entry.family for entry in entries().values()} & entries().keys()


@given(st.text(max_size=200) | st.text(alphabet='version=1[profile.a]"\n', max_size=200))
def test_no_text_at_all_is_read_as_something_it_does_not_say(content: str) -> None:
    try:
        found = forms.profiles(content.encode(), "p.toml", entries(), NOW)
    except ConfigurationError:
        return
    assert found
