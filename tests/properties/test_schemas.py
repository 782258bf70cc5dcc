"""The schemas that hosts read: none holds what a host is known to refuse, and each fits its values."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, create_model

from molecule_mcp import tools
from molecule_mcp.arguments import Schema, input_schema, output_schema, read, slim
from molecule_mcp.capability import UUID
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.errors import ArgumentError

Scope = Literal["LOCAL", "TEAM"]


def test_a_result_that_is_no_model_has_no_schema() -> None:
    for kind in (str, list[str], dict[str, Any], Inner | Outer, Inner | None):
        with pytest.raises(TypeError, match="is no model"):
            output_schema(kind)


class Inner(BaseModel):
    """Fields named like the words of a schema."""

    title: str = "title"
    default: str | None = None
    const: Literal["title"] = "title"
    properties: dict[str, Any] = {"title": True, "default": None}
    anyOf: list[int | None] = [1]  # noqa: N815


class Outer(BaseModel):
    """A model in a model."""

    inner: Inner
    inners: Annotated[list[Inner] | None, Field(description="More.")] = None


def test_a_schema_has_no_references_and_keeps_names_that_look_like_its_own_words() -> None:
    inner = slim(Inner.model_json_schema())
    assert inner["properties"] == {
        "title": {"type": "string", "default": "title"},
        "default": {"type": "string"},
        "const": {"type": "string", "enum": ["title"], "default": "title"},
        "properties": {"type": "object", "default": {"title": True, "default": None}},
        "anyOf": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "default": [1]},
    }
    del inner["description"]  # of the model, for its readers; a host needs what stands at the field
    outer = slim(Outer.model_json_schema())
    assert outer["properties"]["inner"] == inner
    assert outer["properties"]["inners"] == {"type": "array", "items": inner, "description": "More."}
    assert outer["required"] == ["inner"]


def test_the_schema_of_a_result_describes_nothing_and_keeps_fields_of_such_names() -> None:
    class Result(BaseModel):
        """A result."""

        description: Annotated[str, Field(description="Its text.")] = ""
        default: Annotated[list[Inner], Field(description="More.")]

    schema = output_schema(Result)
    assert schema["properties"]["description"] == {"type": "string"}
    assert schema["properties"]["default"]["items"]["properties"]["const"] == {"type": "string", "enum": ["title"]}
    assert schema.keys() == {"type", "properties", "required"}


def test_the_form_of_an_id_is_told_in_a_word_and_still_checked() -> None:
    async def tool(one: Annotated[str, Field(pattern=UUID)], other: Annotated[str, Field(pattern=f"^$|{UUID}")] = ""):
        """A tool."""

    assert input_schema(tool)["properties"] == {
        "one": {"type": "string", "format": "uuid"},
        "other": {"type": "string"},
    }
    for given_ids in ({"one": "x"}, {"one": "0" * 36}, {"one": sample_id("workspaces", "chief"), "other": "x"}):
        with pytest.raises(ArgumentError, match="does not have the form"):
            read(tool, given_ids)


def test_what_may_be_any_of_some_texts_is_one_list_of_them() -> None:
    async def tool(state: Scope | Literal["any"] = "any", either: Scope | int = 1):
        """A tool."""

    found = input_schema(tool)["properties"]
    assert found["state"] == {"type": "string", "enum": ["LOCAL", "TEAM", "any"], "default": "any"}
    assert found["either"]["anyOf"] == [{"type": "string", "enum": ["LOCAL", "TEAM"]}, {"type": "integer"}]


def test_a_map_says_what_its_values_are_and_not_how_its_names_are_made() -> None:
    async def tool(
        one: dict[Annotated[str, Field(pattern="^[a-z]$")], Annotated[str, Field(max_length=3)]],
        other: dict[Scope, int],
        free: dict[str, Any],
    ):
        """A tool."""

    assert input_schema(tool)["properties"] == {
        "one": {"type": "object", "additionalProperties": {"type": "string"}},
        "other": {"type": "object", "additionalProperties": {"type": "integer"}},
        "free": {"type": "object"},
    }
    with pytest.raises(ArgumentError):
        read(tool, {"one": {"B": "x"}, "other": {}, "free": {}})


def test_a_reference_to_a_reference_is_followed() -> None:
    schema = {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"type": "string", "title": "B"}}, "$ref": "#/$defs/A"}
    assert slim(schema) == {"type": "string"}


def test_a_property_that_is_null_and_nothing_else_stays_so() -> None:
    schema: Schema = {"properties": {"a": {"type": "null"}, "b": {"anyOf": [{"type": "null"}]}}}
    assert slim(schema) == schema


def sub_schemas(schema: Any) -> Iterator[Any]:
    """A schema and every schema in it, by the places where JSON Schema has them."""
    yield schema
    if isinstance(schema, dict):
        parts = cast("Schema", schema)
        inner: list[Any] = [*parts.get("properties", {}).values(), *parts.get("anyOf", [])]
        inner += [parts[key] for key in ("items", "additionalProperties") if key in parts]
        for each in inner:
            yield from sub_schemas(each)


def unions(schema: Any) -> list[Any]:
    """What a schema is one of."""
    return cast("Schema", schema).get("anyOf", []) if isinstance(schema, dict) else []


def complaints(schema: Schema) -> list[Any]:
    """What hosts are known to refuse."""
    found: list[Any] = [key for key in ("anyOf", "oneOf", "allOf", "enum", "not") if key in schema]
    for each in sub_schemas(schema):
        if not isinstance(each, dict):
            found += [] if each is False else [each]
            continue
        part = cast("Schema", each)
        found += [key for key in ("$ref", "$defs", "title", "oneOf", "discriminator") if key in part]
        found += [part["type"]] if isinstance(part.get("type"), list) else []
        found += ["null default"] if part.get("default", 0) is None else []
        found += [name for name, one in part.get("properties", {}).items() if {"type": "null"} in unions(one)]
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string"}, {"type": "object"}]},
        {"properties": {"a": True}},
        {"properties": {"a": {"additionalProperties": True}}},
        {"items": {"$ref": "#/$defs/A"}},
        {"items": {"title": "A"}},
        {"items": {"type": ["string", "null"]}},
        {"properties": {"a": {"default": None}}},
        {"properties": {"a": {"anyOf": [{"type": "null"}]}}},
    ],
)
def test_a_schema_that_a_host_refuses_is_noticed(schema: Schema) -> None:
    assert complaints(schema)


Made = tuple[Any, st.SearchStrategy[Any]]


def models(fields: list[tuple[Made, bool]]) -> Made:
    """A model with such fields, some of which may be left out, and how to make one."""
    kinds: dict[str, Any] = {}
    values: dict[str, st.SearchStrategy[Any]] = {}
    for name, ((kind, value), optional) in zip(("title", "value", "enum"), fields, strict=False):
        kinds[name] = (kind | None, None) if optional else (kind, ...)
        values[name] = value | st.none() if optional else value
    model = create_model("Model", **kinds)
    return model, st.builds(model, **values)


PLAIN: list[Made] = [
    (str, st.text(max_size=3)),
    (int, st.integers()),
    (bool, st.booleans()),
    (Scope, st.sampled_from(["LOCAL", "TEAM"])),
    (Literal[1, "a"], st.sampled_from([1, "a"])),
    (Annotated[str, Field(max_length=5, title="T", description="D")], st.text(max_size=5)),
    (Any, st.booleans() | st.text(max_size=3)),
]
made: st.SearchStrategy[Made] = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: (
        inner.map(lambda one: (list[one[0]], st.lists(one[1], max_size=2)))
        | inner.map(lambda one: (dict[str, one[0]], st.dictionaries(st.text(max_size=2), one[1], max_size=2)))
        | inner.map(lambda one: (list[one[0] | None], st.lists(one[1] | st.none(), max_size=2)))
        | st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], two[0][1] | two[1][1]))
        | st.lists(st.tuples(inner, st.booleans()), max_size=3).map(models)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(made, st.booleans()), max_size=3), st.data())
def test_every_schema_is_one_that_every_host_takes_and_fits_its_values(
    fields: list[tuple[Made, bool]], data: st.DataObject
) -> None:
    model, values = models(fields)
    schema = output_schema(model)
    assert complaints(schema) == []
    Draft202012Validator.check_schema(schema)
    answer = data.draw(values).model_dump(mode="json", exclude_none=True)
    Draft202012Validator(schema).validate(answer)  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize("name", sorted(tools.catalogue()))
def test_the_schemas_of_every_tool_are_ones_that_every_host_takes(name: str) -> None:
    function = tools.catalogue()[name].function
    assert complaints(input_schema(function)) == []
    assert complaints(output_schema(function.__annotations__["return"])) == []
