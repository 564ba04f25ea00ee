"""What a statement says lasted or is in a stage, as the record has it of the same thing."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.opposites import Contraries
from assistant.grounding.wording import bigrams

_LASTING = re.compile(r"持续|一直|始终|进行性|不断|逐渐|逐日")
_PART = re.compile(r"[^，,、；;。\n]+")
_GOES_ON = re.compile(r"[ ]?(?:[\d第后随此其再又复逐渐升降现目经治上下回]|术后|出院)")
"""A part that names nothing else goes on with the same."""

_STAGE = re.compile(r"(?:愈合|活动|瘢痕|急性|缓解|稳定|静止|进展|恢复)期|(?<![A-Za-z])[AHS][12]期")
_OF_ALL = re.compile(r"[均都皆]")


def check_lasting(check: Check) -> None:
    """升至480，3日后降至96 supports no 持续升高: no part behind it may tell the contrary, unless
    one says that just this lasted."""
    for clause in check.said.clauses:
        if not (lasting := _LASTING.search(clause.text)):
            continue
        said = clause.text[lasting.start() :]
        contrary, direction = Contraries(said), bigrams(said[2:])
        words = bigrams(clause.text[: lasting.start()])
        parts = [
            part
            for written in check.clauses
            if words & written.bigrams
            for part in _PART.findall(written.source.text[written.start :])
            if words & bigrams(part) or _GOES_ON.match(part)
        ]
        lasted = any(_LASTING.search(p) and direction & bigrams(p) for p in parts)
        if not lasted and any(contrary.opposed(part) for part in parts):
            check.problem("negation", clause.text)


def check_stages(check: Check) -> None:
    """胃窦溃疡，十二指肠球部溃疡愈合期 tells of no healing in the antrum: a stage must stand in the
    part of the record that is most like the statement's."""
    for clause in check.said.clauses:
        for stage in _STAGE.finditer(clause.text):
            words = bigrams(clause.text[: stage.start()])
            parts = [
                (len(words & bigrams(part)), stage[0] in part or bool(_OF_ALL.search(part)))
                for source in check.sources
                for part in _PART.findall(source.text)
            ]
            best = max((shared for shared, _ in parts), default=0)
            if best and not any(has for shared, has in parts if shared == best):
                check.problem("no_evidence", clause.text)
