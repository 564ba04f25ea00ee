"""Pieces of EBNF in the notation of xgrammar, the decoder behind constrained answers."""

from __future__ import annotations

from collections.abc import Iterable

MAX_ITEMS = 24
"""Items in one list: more than targets have, and an end to a model that repeats itself."""

MAX_EVENTS = 40
"""Lines of one kind in an answer."""


def literal(text: str) -> str:
    """``text`` as a quoted terminal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def one_of(texts: Iterable[str]) -> str:
    """Exactly one of ``texts``; at least one is needed."""
    return "(" + " | ".join(literal(text) for text in dict.fromkeys(texts)) + ")"


def free_text(without: str = "") -> str:
    """At least one character, none of them a line break or one of ``without``.

    Unbounded on purpose: a repetition with an upper bound takes seconds to compile.
    """
    barred = "".join(f"\\{c}" if c in "]\\^-" else c for c in without)
    return f"[^\\n\\r{barred}]+"


def listed(item: str, most: int = MAX_ITEMS, separator: str = "，") -> str:
    """None to ``most`` items with ``separator`` between them."""
    return f"({item} ({literal(separator)} {item}){{0,{most - 1}}})?"


def grammar(root: str, **rules: str) -> str:
    """A whole grammar from its root and the rules that it names."""
    return "\n".join([f"root ::= {root}", *(f"{name} ::= {body}" for name, body in rules.items())])
