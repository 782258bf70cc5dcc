"""No value of a path parameter can lead anywhere but to its own route."""

import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.contract import document, operations
from tests.tenant.making import ONE, ORIGIN, OTHER

from molecule_mcp.errors import ArgumentError
from molecule_mcp.tenant import paths

TEMPLATES: list[str] = list(document()["paths"])
FILLED = [(template, name) for template in TEMPLATES for name in paths.PARAMETER.findall(template)]
GOOD = {
    "delegation_id": "d-1", "key": "API_KEY", "name": "superpowers", "type": "slack", "wfid": "wf-1",
    "path": "docs/read me.md",
}  # fmt: skip
SIGNS = "letters, digits, blanks inside, and ! $ & ' ( ) * + , - . : = @ [ ] ^ _ { | } ~"
RULES = {
    "key": "letters, digits and _, not beginning with a digit, at most 128",
    "name": "letters, digits, _ . and -, not beginning with . or -, at most 128",
    "delegation_id": "letters, digits, _ . and -, not beginning with . or -, at most 128",
    "type": "telegram, slack, lark or discord",
    "wfid": f"1 to 255 of {SIGNS}; neither . nor .. nor latest",
    "path": f"a relative path of at most 32 segments and 1024 characters: {SIGNS}; no segment may be . or ..",
}
"""What is told of a parameter; of every other one that it must be a UUID."""

HOSTILE = [
    "", ".", "..", "../..", f"../../{OTHER}", f"../{OTHER}", "a/..", "../a", "a/./b", "a/../b", "/a", "a/", "a//b",
    "a\\b", "..\\..", "%2e%2e", "%2E%2e%2F", "a%2Fb", "a%00", "%", "a?confirm=true", "?", "a#b", "#", ";", "..;", "a;b",
    "a\x00", "\x00", "a\r\nHost: x", "a\n", "\n", "a\tb", "\x7f", "a\u202eb", "a\u200bb", "a\u2028b", "\ufeff",
    "\ud800", "\uff0e\uff0e", "\uff0f", " ", " a", "a ", "<a>", '"', "`", "a" * 10_240, "é" * 10_240,
]  # fmt: skip
"""Values that lead away from a route, hide in it, or break a request; refused in every parameter."""


def values(template: str, **other: str) -> dict[str, str]:
    """A good value for every parameter of a template, but for those given."""
    return {name: GOOD.get(name, ONE) for name in paths.PARAMETER.findall(template)} | other


def test_every_parameter_of_the_contract_has_a_kind_and_every_kind_is_used() -> None:
    assert {name for _, name in FILLED} == set(paths.KINDS)
    assert set(paths.OWN_KINDS) <= set(FILLED)


@pytest.mark.parametrize("name", paths.KINDS)
def test_a_refusal_tells_the_whole_rule(name: str) -> None:
    assert paths.KINDS[name].rule == RULES.get(name, "a UUID")
    free = paths.kind("/workspaces/{id}/memory/{key}", "key")
    assert free.rule == f"1 to 255 of {SIGNS}; neither . nor .."


def test_only_the_path_of_a_file_is_several_segments() -> None:
    assert [name for name, kind in paths.KINDS.items() if kind.slashes] == ["path"]
    assert not any(kind.slashes for kind in paths.OWN_KINDS.values())


@pytest.mark.parametrize("platform", ["telegram", "slack", "lark", "discord"])
def test_every_platform_of_the_contract_has_its_webhook(platform: str) -> None:
    assert paths.fill("/webhooks/{type}", {"type": platform}) == f"/webhooks/{platform}"


def test_a_template_is_text_and_no_pattern() -> None:
    assert paths.shape("/a.b/{id}/c.d").fullmatch("/a.b/x/c.d")
    assert not paths.shape("/a.b/{id}/c.d").fullmatch("/aXb/x/c.d")
    assert not paths.shape("/a.b/{id}/c.d").fullmatch("/a.b/x/cXd")


def test_every_parameter_that_the_contract_calls_a_uuid_takes_nothing_else() -> None:
    entries = [
        (template, parameter)
        for template, methods in document()["paths"].items()
        for entry in methods.values()
        for parameter in entry.get("parameters", [])
        if parameter["in"] == "path" and parameter["schema"].get("format") == "uuid"
    ]
    assert len(entries) > 100
    assert {paths.kind(template, parameter["name"]) for template, parameter in entries} == {paths.ID}


@pytest.mark.parametrize("template", TEMPLATES)
def test_good_values_make_a_path_that_belongs_to_its_template(template: str) -> None:
    path = paths.fill(template, values(template))
    assert paths.match(template, path.encode())
    assert "{" not in path


@pytest.mark.parametrize(("template", "name"), FILLED)
def test_every_hostile_value_is_refused_by_name_and_never_repeated(template: str, name: str) -> None:
    for hostile in HOSTILE:
        if paths.kind(template, name).slashes and hostile == "a/b":
            continue
        with pytest.raises(ArgumentError) as refused:
            paths.fill(template, values(template, **{name: hostile}))
        assert refused.value.message == f"{name} must be {paths.kind(template, name).rule}."
        assert refused.value.sent is False


@pytest.mark.parametrize(("template", "name"), FILLED)
def test_only_a_file_path_may_hold_a_slash(template: str, name: str) -> None:
    if name == "path":
        assert paths.fill(template, values(template, path="a/b")).endswith("/a/b")
    else:
        with pytest.raises(ArgumentError):
            paths.fill(template, values(template, **{name: "a/b"}))


def test_an_id_in_any_case_leaves_in_lower_case() -> None:
    """Tenant-defined: secrets take lower-case ids only."""
    assert paths.fill("/workspaces/{id}", {"id": ONE.upper()}) == f"/workspaces/{ONE}"


@pytest.mark.parametrize(
    ("template", "name", "value", "end"),
    [
        ("/workspaces/{id}/memory/{key}", "key", "user:todo list", "user%3Atodo%20list"),
        ("/workspaces/{id}/memory/{key}", "key", "...", "..."),
        ("/workspaces/{id}/memory/{key}", "key", "a" * 255, "a" * 255),
        ("/workspaces/{id}/checkpoints/{wfid}", "wfid", "latest-2", "latest-2"),
        ("/workspaces/{id}/files/{path}", "path", "notes/Übersicht (1).md", "notes/%C3%9Cbersicht%20%281%29.md"),
        ("/workspaces/{id}/files/{path}", "path", ".config/..rc", ".config/..rc"),
        ("/workspaces/{id}/plugins/{name}", "name", "a.b-c_1", "a.b-c_1"),
        ("/settings/secrets/{key}", "key", "_X9", "_X9"),
    ],
)
def test_names_that_tenants_use_are_encoded(template: str, name: str, value: str, end: str) -> None:
    path = paths.fill(template, values(template, **{name: value}))
    assert path.endswith(f"/{end}")
    assert paths.match(template, path.encode())
    assert httpx.URL(ORIGIN + path).raw_path == path.encode()


@pytest.mark.parametrize(
    ("template", "name", "value"),
    [
        ("/workspaces/{id}/memory/{key}", "key", "a" * 256),
        ("/workspaces/{id}/checkpoints/{wfid}", "wfid", "latest"),
        ("/workspaces/{id}/files/{path}", "path", "/".join("a" * 33)),
        ("/workspaces/{id}/files/{path}", "path", "/".join(["a" * 255] * 5)),
        ("/workspaces/{id}/plugins/{name}", "name", "-x"),
        ("/workspaces/{id}/plugins/{name}", "name", ".x"),
        ("/settings/secrets/{key}", "key", "9X"),
        ("/settings/secrets/{key}", "key", "A" * 129),
        ("/webhooks/{type}", "type", "github"),
        ("/workspaces/{id}", "id", ONE.replace("-", "")),
        ("/workspaces/{id}", "id", f"{{{ONE}}}"),
        ("/workspaces/{id}", "id", f"urn:uuid:{ONE}"),
    ],
)
def test_names_just_outside_of_a_grammar_are_refused(template: str, name: str, value: str) -> None:
    with pytest.raises(ArgumentError):
        paths.fill(template, values(template, **{name: value}))


@pytest.mark.parametrize("given_values", [{}, {"name": ONE}, {"id": ONE, "key": "A"}])
def test_a_missing_or_foreign_parameter_is_an_error_of_the_program(given_values: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="takes id"):
        paths.fill("/workspaces/{id}", given_values)


def test_a_parameter_for_a_route_without_any_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError, match="takes no parameters"):
        paths.fill("/workspaces", {"id": ONE})


@pytest.mark.parametrize(
    ("template", "raw"),
    [
        ("/workspaces/{id}", b"/workspaces"),
        ("/workspaces/{id}", b"/workspaces/"),
        ("/workspaces/{id}", f"/workspaces/{ONE}/".encode()),
        ("/workspaces/{id}", f"/workspaces/{ONE}/restart".encode()),
        ("/workspaces/{id}", f"/workspaces/{ONE}?purge=true".encode()),
        ("/workspaces/{id}", f"/workspaces/{ONE}\n".encode()),
        ("/workspaces/{id}", f"/workspaces/{ONE.upper()}".encode()),
        ("/workspaces/{id}", f"//workspaces/{ONE}".encode()),
        ("/workspaces/{id}", b"/workspaces/\xff"),
        ("/workspaces/{id}", f"/workspaces/{ONE}/secrets/..".encode()),
        ("/workspaces/{id}/secrets/{key}", f"/workspaces/{ONE}/secrets/..".encode()),
        ("/workspaces/{id}/secrets/{key}", f"/workspaces/{ONE}/secrets/%2e%2e".encode()),
        ("/workspaces/{id}/secrets/{key}", f"/workspaces/{ONE}/secrets/A%2FB".encode()),
        ("/workspaces/{id}/secrets/{key}", f"/workspaces/{ONE}/secrets/%41".encode()),
        ("/workspaces/{id}/memory/{key}", f"/workspaces/{ONE}/memory/%c3%9c".encode()),
        ("/workspaces/{id}/memory/{key}", f"/workspaces/{ONE}/memory/%ff".encode()),
        ("/workspaces/{id}/memory/{key}", f"/workspaces/{ONE}/memory/a+b".encode()),
        ("/workspaces/{id}/memory/{key}", f"/workspaces/{ONE}/memory/a b".encode()),
        ("/workspaces/{id}/files/{path}", f"/workspaces/{ONE}/files/a/../b".encode()),
        ("/workspaces/{id}/files/{path}", f"/workspaces/{ONE}/files/a%2Fb".encode()),
        ("/workspaces/{id}/files/{path}", f"/workspaces/{ONE}/files/".encode()),
        ("/workspaces/{id}/files/{path}", f"/workspaces/{ONE}/files/a//b".encode()),
    ],
)
def test_a_final_path_in_any_other_writing_does_not_belong(template: str, raw: bytes) -> None:
    assert not paths.match(template, raw)


ANYTHING = st.one_of(
    st.text(max_size=40),
    st.sampled_from(HOSTILE),
    st.text(alphabet="./\\%?#;:@a0_- \u00e9", max_size=20),
    st.sampled_from([ONE, ONE.upper(), *GOOD.values(), "latest", "values", "available", "github", "health"]),
    st.from_regex(paths.FREE, fullmatch=True),
)
ROUTES = sorted({each.route for each in operations().values()})


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_whatever_the_values_a_path_belongs_to_its_own_route_and_to_no_other(data: st.DataObject) -> None:
    """P4: the emitted route equals the one that was named, for every argument."""
    route = data.draw(st.sampled_from(ROUTES))
    method, template = route.split(" ")
    chosen = {name: data.draw(st.one_of(st.just(good), ANYTHING)) for name, good in values(template).items()}
    try:
        path = paths.fill(template, chosen)
    except ArgumentError:
        return
    raw = path.encode("ascii")
    assert httpx.URL(ORIGIN + path).raw_path == raw
    assert re.fullmatch(r"(/[A-Za-z0-9_.~%-]+)+", path)
    assert not {".", ".."} & set(path.split("/"))
    assert template.count("/") == path.count("/") or "{path}" in template
    others = [other for other in ROUTES if other.startswith(f"{method} ")]
    assert [other for other in others if paths.match(other.split(" ")[1], raw)] == [route]
