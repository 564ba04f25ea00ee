"""What the heading over a term says of it: 家族史 speaks of relatives, a plan of what may be."""

from __future__ import annotations

import re

from knowledge.text.assertion.reading import Reading
from knowledge.text.assertion.temporality import is_chronic
from knowledge.text.finding import Certainty, Experiencer, Temporality

# A sentence under a plan that tells how the patient is.
_REPORTS = re.compile(
    r"[ \t\r\n]*(?:(?:患者|患儿|病人)(?:今|现|目前|仍|诉|神志|昨)"
    r"|今[日晨天]?(?:患者|查房|晨起|仍|诉)"
    r"|目前(?:患者)?(?!予|给|继续|治疗|暂)|现(?:患者|神志|仍|诉|无|有)|昨[日夜晚](?!予)|查房|查体)"
)
_NUMBERED = re.compile(r"[ \t\r\n]*\(?[\d一二三四五六七八九十]{1,2}[.、)]")
# A field of the note that no list of headings has, and that is no relative's: 。过敏:.
_ANOTHER = re.compile(
    r"(?<=[。\n])[ \t]*(?![^:]{0,5}[父母兄弟姐妹祖子女叔伯姑姨舅外爷奶])[\u4e00-\u9fff]{2,6}:"
)
_PERSONS = frozenset({"patient", "other", "child"})


def read_sections(reading: Reading) -> None:
    """Give the terms of each section what its heading means (``sections.tsv``), unless the
    sentence says otherwise."""
    for section in reading.document.sections:
        end = section.end
        if section.meaning == "other" and (
            another := _ANOTHER.search(reading.folded, section.body, end)
        ):
            end = another.start()
        for index in reading.terms.inside(section.body, end):
            status = reading.result[index]
            match section.meaning:
                case "past" if not _is_now(reading, index, section.body):
                    status.temporality = Temporality.PAST
                case "other" if not _is_of_patient(reading, index, section.body):
                    status.experiencer = Experiencer.FAMILY
                case "doubt":
                    status.certainty = Certainty.UNCERTAIN
                # Under a plan a chronic illness is treated, and is there.
                case "suppose" if not (
                    is_chronic(reading, index) or _is_reported(reading, index, section.body)
                ):
                    status.temporality = Temporality.HYPOTHETICAL


def _is_now(reading: Reading, index: int, start: int) -> bool:
    """Whether the sentence has come to the present before this term."""
    position = reading.terms.starts[index]
    begin = max(start, reading.places.sentence(position).start)
    return any(cue.rule.category == "now" for cue in reading.cues.between(begin, position))


def _is_of_patient(reading: Reading, index: int, start: int) -> bool:
    """Whether the sentence names the patient before this term: 家族史：…；患者自幼热性惊厥."""
    position = reading.terms.starts[index]
    begin = max(start, reading.places.sentence(position).start)
    cues = [c for c in reading.cues.between(begin, position) if c.rule.category in _PERSONS]
    return bool(cues) and cues[-1].rule.category == "patient"


def _is_reported(reading: Reading, index: int, start: int) -> bool:
    """Whether the statements under a plan have come to how the patient is: 今查房：咳嗽减轻."""
    position = reading.terms.starts[index]
    reported = False
    for sentence in reading.places.sentences_from(start):
        begin = max(start, sentence.start)
        if begin > position:
            break
        reported = bool(_REPORTS.match(reading.folded, begin)) or (
            reported and not _NUMBERED.match(reading.folded, begin)
        )
    return reported
