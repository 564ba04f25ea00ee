"""By which way a drug is given: 口服, ivgtt, 皮下注射.  ``data/routes.tsv`` has one way a row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.text.folding import fold

# What a route can begin with: most places of a text are passed over at once.
_FIRST = "口吞冲静微持泵皮肌鞘雾吸舌含外涂贴鼻胃保灌直纳塞滴点喷pigsch"


@dataclass(frozen=True, slots=True)
class Route:
    """A route at ``[start, end)``; ``value`` is its one name, written out."""

    start: int
    end: int
    value: str


@cache
def route_rows() -> list[list[str]]:
    """The rows of the table: route, patterns, example."""
    text = (files("knowledge.text") / "data" / "routes.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _pattern() -> re.Pattern[str]:
    rows = [f"(?P<r{n}>{patterns})" for n, (_, patterns, _) in enumerate(route_rows())]
    # 20mgiv: the unit of a dose may stand right before it.
    begin, end = r"(?:(?<![a-z])|(?<=\d[gu])|(?<=m[gl])|(?<=iu)|(?<=[bt]id)|(?<=qd))", "(?![a-z])"
    pattern = "|".join(rows).replace("{!a}", begin).replace("{!z}", end)
    return re.compile(rf"(?=[{_FIRST}])(?:{pattern})")


def routes(text: str) -> list[Route]:
    """Every route of ``text``, from left to right."""
    return [
        Route(*match.span(), route_rows()[int((match.lastgroup or "r0")[1:])][0])
        for match in _pattern().finditer(fold(text))
    ]
