"""The rules of assertion as data: ``rules.tsv``, one cue a row with its example.

After ConText (Harkema, Dowling, Thornblade, Chapman 2009, J Biomed Inform 42:839): a cue word,
which way and how far it reaches, what ends its reach, and what it makes of the terms in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.text.synonyms import TermKind

FINDINGS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE})
CATEGORIES = frozenset(
    {"deny", "doubt", "past", "suppose", "other", "child"}
    | {"turn", "have", "now", "patient", "story", "exam", "none"}
)
SCOPES = frozenset(
    {"list", "clause", "sentence", "near", "joined", "each", "before", "stated", "over"}
)


@dataclass(frozen=True)
class Rule:
    """One row.  ``direction`` is >, < or =; ``types``: the kinds it speaks of, none means all."""

    number: int
    category: str
    direction: str
    scope: str
    ends: frozenset[str]
    types: frozenset[TermKind]
    pattern: re.Pattern[str]
    example: str

    def speaks_of(self, kind: TermKind) -> bool:
        """Whether the rule has something to say of a term of this kind.

        What denies a finding says nothing of a test or a drug: 血常规未见异常 was done.
        """
        if self.types:
            return kind in self.types
        return kind in FINDINGS or self.category not in ("deny", "doubt")


def parse_rules(text: str) -> list[Rule]:
    """The rules of a table.

    Raises:
        ValueError: a row is malformed; the message names its line.
    """
    defined: dict[str, str] = {}
    rules: list[Rule] = []
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip() or row.startswith("#"):
            continue
        fields = row.split("\t")
        if fields[0] == "define":
            defined[fields[1]] = _expanded(fields[-1], defined)
            continue
        if len(fields) != 7:
            raise ValueError(f"line {line}: {len(fields)} fields, not 7")
        category, direction, scope, ends, types, cue, example = fields
        if category not in CATEGORIES or scope not in SCOPES or direction not in "><=":
            raise ValueError(f"line {line}: unknown category, direction or scope")
        rules.append(
            Rule(
                number=len(rules),
                category=category,
                direction=direction,
                scope=scope,
                ends=frozenset(filter(None, ends.split(","))),
                types=_types(types),
                pattern=re.compile(_expanded(cue, defined)),
                example=example,
            )
        )
    return rules


def _types(field: str) -> frozenset[TermKind]:
    if field == "any":
        return frozenset(TermKind)
    return frozenset(TermKind(kind) for kind in filter(None, field.split(",")))


def _expanded(pattern: str, defined: dict[str, str]) -> str:
    for name, value in defined.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern


@cache
def load_rules() -> tuple[Rule, ...]:
    """The rules that come with the product."""
    table = files("knowledge.text") / "assertion" / "rules.tsv"
    return tuple(parse_rules(table.read_text("utf-8")))
