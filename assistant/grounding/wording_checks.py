"""Words of a statement that no fact explains must stand in the record.

What is left of a clause without the facts that were found, the terms that the record has by another
wording and ordinary words is held against the record: every stretch of it must stand there, at
least by its characters in one clause (拔除导尿管 for 拔导尿管).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.grounding.check import Check
from assistant.grounding.examinations import names_examination
from assistant.grounding.source import Clause, clause_ranges
from assistant.grounding.wording import bigrams, blanked, is_ordinary, telling, undenied

_HEADING = re.compile(r"(?:家族|既往|个人|现病|婚育|月经)史|主诉|诊疗经过|出院情况|专科情况|查体")
"""What only says where something stands; what it says of it (既往, 家族) its own checks read."""

_KIND = re.compile(r"(?!进行)[\u4e00-\u9fff](?![阴阳男女能])[\u4e00-\u9fff]性")
"""酒精性: which kind of a thing it is must stand in the record, however much else does."""


def check_wording(check: Check) -> None:
    """Most pairs of a clause must stand in the record, or all of it but ordinary words."""
    for start, end in clause_ranges(check.text):
        clause = check.text[start:end]
        if check.text[end : end + 1] in (":", "：") and _is_heading(clause):
            continue
        bare = blanked(clause, [(a - start, b - start) for a, b in check.verified])
        wanted, left = bigrams(undenied(clause)), bigrams(undenied(bare))
        _use_like(check, wanted)
        missing = left - check.bigrams
        if any(not {hit[0][:2], hit[0][1:]} & check.bigrams for hit in _KIND.finditer(bare)):
            check.problem("no_evidence", clause)
            continue
        if wanted and len(missing) < (1 - check.coverage) * len(wanted):
            continue
        if any(not _stands(run, check) for run in telling(undenied(bare))):
            check.problem("no_evidence", clause)


def _is_heading(clause: str) -> bool:
    """Whether a clause before a colon only says where something stands; an examination is compared
    by a check of its own."""
    return _HEADING.fullmatch(clause.strip()) is not None or names_examination(clause)


def _use_like(check: Check, wanted: set[str]) -> None:
    """Note the sentences as evidence that have most of the pairs that those used have not."""
    covered = {b for s in check.used for b in wanted & s.bigrams}
    while len(covered) < len(wanted):
        best = max(check.sources, key=lambda s: len(wanted & s.bigrams - covered), default=None)
        gain = wanted & best.bigrams - covered if best else set()
        enough = len(covered) > check.coverage * len(wanted)
        if best is None or len(gain) < (2 if enough and len(wanted) > 2 else 1):
            return
        check.use(best)
        covered |= gain


def _stands(run: str, check: Check) -> bool:
    """Whether the words of ``run`` stand in the record: in pairs, or the stretch between pairs by
    its characters in one clause."""
    held = [run[i : i + 2] in check.bigrams for i in range(len(run) - 1)]
    told = {i for i, pair in enumerate(held) if pair} | {
        i + 1 for i, pair in enumerate(held) if pair
    }
    loose = "".join(" " if i in told else char for i, char in enumerate(run))
    return all(_is_near(stretch, check.clauses) for stretch in loose.split())


def _is_near(stretch: str, clauses: Sequence[Clause]) -> bool:
    wanted = {char for char in stretch if not is_ordinary(char)}
    return any(wanted <= clause.characters for clause in clauses)
