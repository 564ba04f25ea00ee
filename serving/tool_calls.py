"""Calls of tools in what a model writes.

A chat template that knows tools tells the model how to write a call.  Three forms are read:
``<tool_call>{"name": …, "arguments": {…}}</tool_call>`` (Qwen, Hermes), the same tags around
``<function=NAME><parameter=KEY>VALUE…`` (Qwen coders) or ``NAME<arg_key>…<arg_value>…`` (GLM-4.5),
and a bare name, a line break and a JSON object (GLM-4).  A call of a tool that was not offered, or
one that cannot be read, is no call: it stays in the text, where a reader sees it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import uuid4

from serving.engine import Chunk, ToolCall, UnsupportedOption

OPENING = "<tool_call>"
CLOSING = "</tool_call>"
_FUNCTION = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_BARE = re.compile(r"\A\s*([\w.-]{1,64})\s*\n\s*(\{.*\})\s*\Z", re.DOTALL)
_REFERENCE = re.compile(r"^#/(\$defs|definitions)/(.+)$")
_NAME = re.compile(r"[\w.-]{1,64}")
_MOST_BARE = 80


def names_of(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of functions as the OpenAI API describes them."""
    return [str(tool["function"]["name"]) for tool in tools]


def read_call(body: str, tools: Sequence[Mapping[str, Any]]) -> ToolCall | None:
    """The call that the text between two tags is; None where it is none of an offered tool."""
    found = _as_json(body) or _as_function(body, tools) or _as_pairs(body, tools)
    if found is None or found[0] not in names_of(tools):
        return None
    return ToolCall(f"call_{uuid4().hex[:24]}", found[0], json.dumps(found[1], ensure_ascii=False))


def schema_of_call(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema of one call of one of these tools, for a decoder that is held to it."""
    forms: list[dict[str, Any]] = []
    parts: dict[str, Any] = {}
    for number, (name, tool) in enumerate(zip(names_of(tools), tools, strict=True)):
        arguments, own = _rooted(tool["function"].get("parameters") or {}, f"t{number}_")
        parts |= own
        forms.append(
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "enum": [name]},
                    "arguments": {"type": "object"} | arguments,
                },
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    whole = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return whole | ({"$defs": parts} if parts else {})


def _rooted(schema: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema that may stand inside another one, and the parts that it refers to, renamed."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: _REFERENCE.sub(rf"#/$defs/{prefix}\2", part)
                if key == "$ref" and isinstance(part, str)
                else renamed(part)
                for key, part in value.items()
            }
        return [renamed(part) for part in value] if isinstance(value, list) else value

    own = {
        f"{prefix}{name}": renamed(part)
        for group in ("$defs", "definitions")
        for name, part in (schema.get(group) or {}).items()
    }
    return renamed({k: v for k, v in schema.items() if k not in ("$defs", "definitions")}), own


class CallReader:
    """Text as it comes → text and calls."""

    def __init__(self, tools: Sequence[Mapping[str, Any]], *, bare: bool = False) -> None:
        """``bare``: the template writes calls without tags, as GLM-4's does."""
        self._tools = tools
        self._bare = bare
        self._held = ""
        self._inside = False
        self._begun = False
        self.calls: list[ToolCall] = []

    def push(self, text: str) -> tuple[str, list[ToolCall]]:
        """What ``text`` adds: text that can be passed on, and calls that are whole."""
        self._held += text
        said, found = "", []
        while True:
            tag = CLOSING if self._inside else OPENING
            at = self._held.find(tag)
            if at < 0:
                break
            part, self._held = self._held[:at], self._held[at + len(tag) :]
            if self._inside:
                call = read_call(part, self._tools)
                said += "" if call else OPENING + part + CLOSING
                found += [call] if call else []
            else:
                said += part.rstrip() if not part.strip() else part
            self._inside = not self._inside
        if not self._inside and not (self._bare and self._may_be_bare()):
            keep = _partial(self._held, OPENING)
            said += self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
        if self.calls or found:
            said = said if said.strip() else ""
        self.calls += found
        self._begun = self._begun or bool(said.strip())
        return said, found

    def finish(self) -> tuple[str, list[ToolCall]]:
        """What was held back, now that the text has ended; a call may lack its closing tag."""
        held, self._held = self._held, ""
        if self._inside:
            call = read_call(held, self._tools)
            self._inside = False
            if call:
                self.calls.append(call)
                return "", [call]
            return OPENING + held, []
        if self._bare and (hit := _BARE.match(held)) and hit[1] in names_of(self._tools):
            arguments = _object(hit[2])
            if arguments is not None:
                text = json.dumps(arguments, ensure_ascii=False)
                call = ToolCall(f"call_{uuid4().hex[:24]}", hit[1], text)
                self.calls.append(call)
                return "", [call]
        return ("" if self.calls and not held.strip() else held), []

    def _may_be_bare(self) -> bool:
        """Whether the text so far may become a bare name with its object."""
        if self._begun or self.calls:
            return False
        line, _, rest = self._held.lstrip().partition("\n")
        if rest.strip():
            return line.strip() in names_of(self._tools) and rest.lstrip().startswith("{")
        return len(line) <= _MOST_BARE and any(
            name.startswith(line.strip()) for name in names_of(self._tools)
        )


async def with_calls(
    stream: AsyncGenerator[Chunk], tools: Sequence[Mapping[str, Any]], *, bare: bool = False
) -> AsyncGenerator[Chunk]:
    """The chunks of ``stream`` with calls in ``tool_calls``; it then ends as ``tool_calls``."""
    reader = CallReader(tools, bare=bare)
    async with aclosing(stream):
        async for chunk in stream:
            text, calls = reader.push(chunk.text)
            if chunk.finish_reason is not None:
                more, also = reader.finish()
                text, calls = text + more, [*calls, *also]
            ended = chunk.finish_reason
            if ended == "stop" and reader.calls:
                ended = "tool_calls"
            yield replace(
                chunk, text=text, tool_calls=(*chunk.tool_calls, *calls), finish_reason=ended
            )


async def forced_call(
    stream: AsyncGenerator[Chunk], tools: Sequence[Mapping[str, Any]]
) -> AsyncGenerator[Chunk]:
    """The one call that a decoder was held to, see `schema_of_call`.

    An answer that was cut before its end is no call and comes as text.
    """
    whole = ""
    async with aclosing(stream):
        async for chunk in stream:
            whole += chunk.text
            if chunk.finish_reason is None:
                yield replace(chunk, text="", logprobs=())
                continue
            call = read_call(whole, tools)
            if call is None or chunk.finish_reason != "stop":
                yield replace(chunk, text=whole, logprobs=())
            else:
                yield replace(
                    chunk, text="", logprobs=(), tool_calls=(call,), finish_reason="tool_calls"
                )


def check(tools: Sequence[Mapping[str, Any]]) -> None:
    """Raise `UnsupportedOption` for a tool that is no function with a usable name."""
    for tool in tools:
        name = (tool.get("function") or {}).get("name")
        if tool.get("type") != "function" or not isinstance(name, str):
            raise UnsupportedOption("tools: only tools of the type `function` are supported.")
        if not _NAME.fullmatch(name):
            raise UnsupportedOption("tools: a function's name is 1 to 64 letters, digits, _ . -")
    names = names_of(tools)
    if len(set(names)) != len(names):
        raise UnsupportedOption("tools: two functions have the same name.")


def _as_json(body: str) -> tuple[str, dict[str, Any]] | None:
    value = _object(body)
    if value is None or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = _object(arguments)
    return (value["name"], arguments) if isinstance(arguments, dict) else None


def _as_function(
    body: str, tools: Sequence[Mapping[str, Any]]
) -> tuple[str, dict[str, Any]] | None:
    hit = _FUNCTION.search(body)
    if hit is None:
        return None
    pairs = dict(_PARAMETER.findall(hit[2]))
    return hit[1], _typed(hit[1], pairs, tools)


def _as_pairs(body: str, tools: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]] | None:
    name = re.split(r"[\s<]", body.strip(), maxsplit=1)[0]
    if not _NAME.fullmatch(name):
        return None
    pairs = {key.strip(): value for key, value in _PAIR.findall(body)}
    return name, _typed(name, pairs, tools)


def _typed(
    name: str, pairs: Mapping[str, str], tools: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Values as the tool's schema types them: what should be text is not read as a number."""
    known: Mapping[str, Any] = {}
    for tool in tools:
        if tool["function"]["name"] == name:
            known = (tool["function"].get("parameters") or {}).get("properties") or {}
    found: dict[str, Any] = {}
    for key, value in pairs.items():
        if (known.get(key) or {}).get("type") == "string":
            found[key] = value
            continue
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _partial(text: str, tag: str) -> int:
    """Length of the longest end of ``text`` that may become ``tag``."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
