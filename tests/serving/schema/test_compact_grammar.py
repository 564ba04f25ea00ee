"""JSON Schemas as grammars without white space."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import validate

import prompts
from serving.engine import Message, Sampling, complete
from serving.engines.openvino.engine import OpenVinoEngine
from serving.schema.compact_grammar import grammar

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "名": {"type": "string", "minLength": 1, "maxLength": 4},
        "级": {"enum": ["轻", "中", '重"', None]},
        "项": {
            "type": "array",
            "items": {"type": "string", "maxLength": 3},
            "minItems": 2,
            "maxItems": 3,
        },
        "空": {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
        "数": {"type": "integer"},
        "真": {"type": "boolean"},
    },
    "required": ["名", "级", "项", "空", "数", "真"],
    "additionalProperties": False,
}


async def test_answers_are_valid_and_hold_no_blank_between_tokens(
    tiny_engine: OpenVinoEngine,
) -> None:
    whole = 0
    for seed in range(6):
        sampling = Sampling(max_tokens=400, temperature=1.0, seed=seed)
        answer = await complete(tiny_engine, [Message("user", "你好")], sampling, SCHEMA)
        if answer.finish_reason == "length":
            continue
        whole += 1
        parsed = json.loads(answer.text)
        validate(parsed, SCHEMA)
        compact = json.dumps(parsed, ensure_ascii=False, separators=(",", ":"))
        assert len(answer.text) >= len(compact)
        assert answer.text.startswith('{"名":"')
    assert whole, "some answers come to their end"


def test_the_panel_schema_is_covered_and_said_once() -> None:
    found = grammar(prompts.schema("differential_diagnosis"))
    assert found is not None
    assert found.count("{2,40}") == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
        {"type": "object", "properties": {}, "required": []},
        {"type": "string", "pattern": "a+"},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "array"},
        {"type": "integer", "minimum": 3},
        {"type": ["string", "null"]},
        {"type": "string", "maxLength": 100_000},
    ],
)
def test_what_is_not_covered_is_left_to_the_decoder(schema: dict[str, Any]) -> None:
    assert grammar(schema) is None
