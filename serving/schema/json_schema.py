"""Which JSON Schemas the decoder can be constrained to, checked before a request is queued.

The grammar compiler behind constrained decoding fails in the middle of a batch on what it does
not know, so only keywords that it is known to honour pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from serving.engine import UnsupportedOption

GRAMMAR = "$grammar"
"""The one key of a mapping that is no JSON Schema but a grammar in EBNF, of the whole answer."""

_SCHEMA_MAPS = frozenset({"properties", "$defs", "definitions"})
_SCHEMA_LISTS = frozenset({"anyOf", "oneOf", "prefixItems"})
_SCHEMAS = frozenset({"items", "additionalProperties"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_SIZES = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_VALUES = _NUMBERS | _SIZES | {"type", "enum", "const", "required", "pattern", "$ref"}
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated"}) | {
    "$schema",
    "$id",
    "$comment",
    "readOnly",
    "writeOnly",
}
_MAX_DEPTH = 32
_MAX_BYTES = 200_000
_LOCAL_REFERENCE = re.compile(r"#(/[^/]+)*")
_UNSUPPORTED_PATTERN = re.compile(r"\(\?(?!:)|\\[bBAZzGkpP1-9]|[*+?}]\+")


def check(schema: Mapping[str, Any]) -> str:
    """The schema as JSON text for the decoder, without its annotations; a grammar as it is.

    Raises:
        UnsupportedOption: the schema is invalid, or uses what the decoder cannot honour.
    """
    if GRAMMAR in schema:
        return _grammar(schema)
    try:
        Draft202012Validator.check_schema(schema)
        text = json.dumps(_reduced(schema, schema, "schema", 0), ensure_ascii=False)
        size = len(text.encode("utf-8"))
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path) or "its top level"
        raise UnsupportedOption(f"The JSON schema is invalid at {place}.") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsupportedOption("The JSON schema is not plain JSON.") from error
    if size > _MAX_BYTES:
        raise UnsupportedOption(f"The JSON schema is longer than {_MAX_BYTES} bytes.")
    return text


def _grammar(schema: Mapping[str, Any]) -> str:
    text = schema[GRAMMAR]
    if len(schema) != 1 or not isinstance(text, str) or not text.startswith("root ::="):
        raise UnsupportedOption(f"{GRAMMAR!r} stands alone, its text begins with the rule root.")
    if len(text.encode("utf-8", "replace")) > _MAX_BYTES:
        raise UnsupportedOption(f"The grammar is longer than {_MAX_BYTES} bytes.")
    return json.dumps(dict(schema), ensure_ascii=False)


def _reduced(schema: Any, root: Mapping[str, Any], place: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise UnsupportedOption(f"The JSON schema is nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, Mapping):
        raise UnsupportedOption(f"The JSON schema has no schema at {place}.")
    reduced: dict[str, Any] = {}
    for key, value in schema.items():
        here = f"{place}/{key}"
        if key in _SCHEMA_MAPS:
            reduced[key] = {
                k: _reduced(v, root, f"{here}/{k}", depth + 1) for k, v in value.items()
            }
        elif key in _SCHEMA_LISTS:
            reduced[key] = [_reduced(v, root, here, depth + 1) for v in value]
        elif key in _SCHEMAS:
            reduced[key] = _reduced(value, root, here, depth + 1)
        elif key in _VALUES:
            _check_value(key, value, root, here)
            reduced[key] = value
        elif key not in _ANNOTATIONS:
            raise UnsupportedOption(f"JSON schema keyword {key!r} at {place} is not supported.")
    return reduced


def _check_value(key: str, value: Any, root: Mapping[str, Any], place: str) -> None:
    if key == "pattern" and _UNSUPPORTED_PATTERN.search(value):
        raise UnsupportedOption(
            f"The pattern at {place} uses look-around, back-references or other operators that "
            "constrained decoding cannot honour."
        )
    if key == "$ref" and not (_LOCAL_REFERENCE.fullmatch(value) and _resolves(value, root)):
        raise UnsupportedOption(f"The reference at {place} does not point into the schema itself.")


def _resolves(reference: str, root: Mapping[str, Any]) -> bool:
    target: Any = root
    for part in reference.split("/")[1:]:
        if not isinstance(target, Mapping) or part not in target:
            return False
        target = target[part]
    return isinstance(target, Mapping | bool)
