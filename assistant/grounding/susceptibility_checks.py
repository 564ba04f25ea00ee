"""What a germ bears: each drug as the record has it, whatever else is told of other drugs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.check import Check
from assistant.grounding.source import Reading

_RESULT = re.compile(r"(?P<no>不敏感)|(?P<r>耐药)|(?P<s>敏感)|(?P<i>中介|中敏)")
_STOP = re.compile(r"[。；;]")


def _tested(reading: Reading) -> Iterator[tuple[str, str, int]]:
    """``(drug, r, s or i, place)``: the first result behind each drug that is named."""
    for regimen in reading.regimens:
        drug = regimen.drug
        hit = _RESULT.search(reading.text, drug.end)
        if hit and not _STOP.search(reading.text, drug.end, hit.start()):
            kind = "r" if hit["no"] else str(hit.lastgroup)
            yield reading.text[drug.start : drug.end], kind, drug.start


def check_susceptibility(check: Check) -> None:
    """对美罗培南耐药、对阿米卡星敏感 supports no 美罗培南敏感."""
    said = list(_tested(check.said))
    if not said:
        return
    written: dict[str, set[str]] = {}
    for source in check.sources:
        for drug, kind, _ in _tested(source):
            written.setdefault(drug, set()).add(kind)
    for drug, kind, _ in said:
        if drug in written and kind not in written[drug]:
            check.problem("negation", drug)
