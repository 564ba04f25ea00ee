"""A request for each operation of an OpenAPI document, about what a test knows.

A field or parameter whose name is among what is known gets that value, wherever it stands; all else
gets the smallest value that its schema takes.  So a new route is asked without being named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
_DEEP = 12
Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: Json
    document: Json

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def request(self, known: Mapping[str, Any]) -> Json:
        """What `httpx.Client.request` takes, without headers of its own."""
        path, query = self.path, {}
        for one in self.told.get("parameters", []):
            name, place = one["name"], one["in"]
            value = known.get(name)
            if value is None and (one.get("required") or place == "path"):
                value = self._value(one["schema"], name, known)
            if place == "path":
                path = path.replace(f"{{{name}}}", str(value or "x"))
            elif place == "query" and value is not None:
                query[name] = value
        return {"method": self.method, "url": path, "params": query, **self._body(known)}

    def _body(self, known: Mapping[str, Any]) -> Json:
        content = self.told.get("requestBody", {}).get("content", {})
        if not content:
            return {}
        kind, told = next(iter(content.items()))
        if "json" not in kind:
            return {"content": b"x", "headers": {"Content-Type": kind.replace("*/*", "text/plain")}}
        examples = [one["value"] for one in told.get("examples", {}).values()]
        body = examples[0] if examples else self._value(told.get("schema", {}), "", known)
        return {"json": _about(body, known)}

    def _value(self, schema: Json, name: str, known: Mapping[str, Any], depth: int = 0) -> Any:
        schema = self._resolved(schema)
        kind = schema.get("type")
        if name in known and kind not in ("array", "object"):
            return known[name]
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                first = next(s for s in schema[choice] if s.get("type") != "null")
                return self._value(first, name, known, depth + 1)
        if kind == "object" or "properties" in schema:
            return self._object(schema, known, depth)
        if kind == "array":
            wanted = schema.get("minItems") and depth < _DEEP
            return [self._value(schema["items"], name, known, depth + 1)] if wanted else []
        if kind in ("integer", "number"):
            return max(1, schema.get("minimum", 1))
        return False if kind == "boolean" else "x" * max(12, schema.get("minLength", 0))

    def _object(self, schema: Json, known: Mapping[str, Any], depth: int) -> Json:
        if depth > _DEEP:
            return {}
        asked = set(schema.get("required", []))
        return {
            name: self._value(one, name, known, depth + 1)
            for name, one in schema.get("properties", {}).items()
            if name in asked or name in known
        }

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            found: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema


def _about(value: Any, known: Mapping[str, Any], inside: str = "") -> Any:
    """The same body about what is known: an ``id`` in a ``patient`` is that of the patient."""
    if isinstance(value, list):
        return [_about(one, known, inside) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: known[f"{inside}_id"]
        if name == "id" and f"{inside}_id" in known
        else known[name]
        if name in known and not isinstance(one, dict | list)
        else _about(one, known, name)
        for name, one in value.items()
    }


def operations(document: Json) -> Iterator[Operation]:
    """All of them, in the order of the document."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(method, path, methods[method], document)
