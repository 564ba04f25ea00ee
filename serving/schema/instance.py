"""The smallest value that a JSON Schema allows, for engines that have no model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from serving.engine import UnsupportedOption

_DEPTH = 32


def minimal(schema: Mapping[str, Any]) -> Any:
    """A minimal valid instance of ``schema``.

    Raises:
        UnsupportedOption: none can be made (a ``pattern``, or a schema that needs itself).
    """
    return _value(schema, schema, _DEPTH)


def _value(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if depth == 0:
        raise UnsupportedOption("This JSON schema needs an endless value.")
    if not isinstance(schema, Mapping) or not schema:
        return None
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), root, depth - 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _first(schema[key], root, depth - 1)
    return _typed(schema, root, depth)


def _typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or (kind is None and "properties" in schema):
        properties = schema.get("properties", {})
        return {
            name: _value(properties.get(name, {}), root, depth - 1)
            for name in schema.get("required", ())
        }
    if kind == "array" or (kind is None and "items" in schema):
        prefix = list(schema.get("prefixItems", ()))
        size = schema.get("minItems", 0)
        parts = (prefix + [schema.get("items", {})] * size)[:size]
        return [_value(part, root, depth - 1) for part in parts]
    if kind == "string":
        if "pattern" in schema:
            raise UnsupportedOption("No text can be made up for a pattern.")
        return "x" * int(schema.get("minLength", 0))
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return False if kind == "boolean" else None


def _number(schema: Mapping[str, Any], whole: bool) -> int | float:
    """The number in the bounds that is nearest to zero."""
    step = 1 if whole else 0.5
    low = max(
        schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf - step) + step
    )
    high = min(
        schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf + step) - step
    )
    value = min(max(0, low), high)
    return math.ceil(value) if whole else float(value)


def _first(options: list[Any], root: Mapping[str, Any], depth: int) -> Any:
    for option in options:
        try:
            return _value(option, root, depth)
        except UnsupportedOption:
            continue
    raise UnsupportedOption("No option of this JSON schema can be made up.")


def _resolve(reference: str, root: Mapping[str, Any]) -> Any:
    target: Any = root
    for part in reference.split("/")[1:]:
        target = target[part.replace("~1", "/").replace("~0", "~")]
    return target
