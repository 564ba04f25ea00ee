from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from serving.engine import UnsupportedOption
from serving.schema import json_schema
from serving.schema.instance import minimal

DIAGNOSES = {
    "type": "object",
    "title": "x",
    "properties": {"诊断": {"$ref": "#/$defs/text"}, "等级": {"enum": ["轻", "重"]}},
    "required": ["诊断"],
    "additionalProperties": False,
    "$defs": {"text": {"type": "string", "maxLength": 20, "description": "y"}},
}


def test_a_usable_schema_passes_without_its_annotations() -> None:
    text = json_schema.check(DIAGNOSES)
    assert "title" not in text
    assert "description" not in text
    assert json.loads(text)["$defs"]["text"] == {"type": "string", "maxLength": 20}


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    text = json_schema.check({"type": "object", "properties": {"title": {"type": "string"}}})
    assert json.loads(text)["properties"] == {"title": {"type": "string"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"not": {"type": "string"}},
        {"type": "string", "pattern": "(?<=a)b"},
        {"type": "string", "pattern": "(a)\\1"},
        {"$ref": "http://example.org/schema"},
        {"$ref": "#/$defs/absent"},
        {"type": "string", "const": "\ud800"},
        {"type": "string", "enum": ["x" * 300_000]},
        {"type": "string", "const": object()},
    ],
)
def test_what_the_decoder_cannot_honour_is_refused(schema) -> None:
    with pytest.raises(UnsupportedOption):
        json_schema.check(schema)


def test_endless_nesting_is_refused() -> None:
    schema: dict = {"type": "string"}
    for _ in range(40):
        schema = {"type": "array", "items": schema}
    with pytest.raises(UnsupportedOption, match="nested"):
        json_schema.check(schema)


def schemas() -> st.SearchStrategy:
    leaf = st.one_of(
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-9, 9)),
        st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, st.integers(-9, 9)),
        st.builds(lambda high: {"type": "integer", "maximum": high}, st.integers(-9, 9)),
        st.builds(lambda size: {"type": "string", "minLength": size}, st.integers(0, 9)),
        st.builds(lambda items: {"enum": items}, st.lists(st.text(), min_size=1, unique=True)),
    )

    def object_of(properties: dict) -> dict:
        return {"type": "object", "properties": properties, "required": list(properties)}

    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(object_of, st.dictionaries(st.text(max_size=5), inner, max_size=3)),
            st.builds(
                lambda item, size: {"type": "array", "items": item, "minItems": size},
                inner,
                st.integers(0, 3),
            ),
            st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=8,
    )


@given(schemas())
def test_the_minimal_instance_is_valid(schema) -> None:
    Draft202012Validator(schema).validate(minimal(schema))


def test_a_schema_that_needs_itself_has_no_instance() -> None:
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    with pytest.raises(UnsupportedOption, match="endless"):
        minimal(loop)
