"""A JSON Schema as a grammar that admits no white space between tokens.

The decoder's own translation of a schema admits any white space, and small models lose themselves
in it: they indent, which costs a third of the tokens, or never stop writing blanks.  What this
translation does not cover is left to the decoder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from serving.schema.json_schema import GRAMMAR

# The characters stand in the rule itself: behind the name of another rule they cost three times as
# much to decode.  Control characters that JSON has no short escape for cannot be written.
_STRING = r'"\"" ([^"\\\x00-\x1f] | "\\" ["\\/bfnrt]){{{low},{high}}} "\""'
_COMMON = r"""
integer ::= "-"? ("0" | [1-9] [0-9]*)
number ::= integer ("." [0-9]+)? ([eE] [+-]? [0-9]+)?
boolean ::= "true" | "false"
null ::= "null"
"""
_PLAIN = frozenset({"integer", "number", "boolean", "null"})
_COVERED = {
    "object": {"type", "properties", "required", "additionalProperties"},
    "array": {"type", "items", "minItems", "maxItems"},
    "string": {"type", "minLength", "maxLength"},
    "integer": {"type"},
    "number": {"type"},
    "boolean": {"type"},
    "null": {"type"},
}
_MOST = 1000
"""Repetitions that the grammar compiler unrolls without trouble."""


class _NotCovered(Exception):
    pass


def grammar(schema: Mapping[str, Any]) -> str | None:
    """The grammar in EBNF with the rule ``root``, or None where it would not be exact.

    Covered: objects whose properties are all required and no others allowed (in the order of
    ``properties``), arrays, strings with lengths, enum, const, and plain types.  What is a grammar
    already stays as it is.
    """
    if GRAMMAR in schema:
        return str(schema[GRAMMAR])
    rules = _Rules()
    try:
        root = rules.of(schema)
    except _NotCovered:
        return None
    lines = [f"{name} ::= {body}" for body, name in rules.names.items()]
    return "\n".join([f"root ::= {root}", *lines]) + _COMMON


class _Rules:
    """Rules by what they say, so that what occurs twice is compiled once."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def of(self, schema: Any) -> str:
        """The name of the rule for a schema, or a literal."""
        if not isinstance(schema, Mapping):
            raise _NotCovered
        if "const" in schema and set(schema) <= {"const", "type"}:
            return _literal(schema["const"])
        if "enum" in schema and set(schema) <= {"enum", "type"}:
            return self._named(" | ".join(_literal(value) for value in schema["enum"]))
        kind = schema.get("type")
        if not isinstance(kind, str) or not set(schema) <= _COVERED.get(kind, set()):
            raise _NotCovered
        if kind in _PLAIN:
            return kind
        if kind == "object":
            return self._named(self._object(schema))
        if kind == "array":
            return self._named(self._array(schema))
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        bounds = {"low": _bounded(low), "high": "" if high is None else _bounded(high)}
        return self._named(_STRING.format(**bounds))

    def _named(self, body: str) -> str:
        return self.names.setdefault(body, f"rule{len(self.names)}")

    def _object(self, schema: Mapping[str, Any]) -> str:
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", [])) != set(properties):
            raise _NotCovered
        members = [f'{_literal(name)} ":" {self.of(value)}' for name, value in properties.items()]
        return '"{" ' + ' "," '.join(members) + ' "}"'

    def _array(self, schema: Mapping[str, Any]) -> str:
        if "items" not in schema:
            raise _NotCovered
        item = self.of(schema["items"])
        low, high = _bounded(schema.get("minItems", 0)), schema.get("maxItems")
        if high == 0:
            return '"[" "]"'
        more_high = "" if high is None else _bounded(high) - 1
        more = "" if more_high == 0 else f' ("," {item}){{{max(low - 1, 0)},{more_high}}}'
        filled = f"{item}{more}"
        return f'"[" ({filled})? "]"' if low == 0 else f'"[" {filled} "]"'


def _bounded(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST:
        raise _NotCovered
    return value


def _literal(value: Any) -> str:
    """The JSON text of a value as a quoted terminal."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
