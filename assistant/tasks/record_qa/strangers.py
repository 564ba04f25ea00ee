"""Whether a question is about somebody else than the patient of the record."""

from __future__ import annotations

import re

from assistant.store.person_names import find_names
from assistant.store.rule_table import words
from assistant.tasks.record_qa.reading import RecordReading
from knowledge.text.terms import find_terms

_BED = re.compile(r"(?:加)?(\d{1,3})\s*(?:号)?床")
_LEAD = re.compile(
    r"^(?:请问|查一下|看一下|帮我[查看]?(?:一下)?|那)?(?P<name>[\u4e00-\u9fff]{2,3}?)(?:的|这个病人|患者|病人)"
)


def stranger(question: str, reading: RecordReading) -> str:
    """The name or bed in a question that is not the patient's; "" where there is none.

    Names of those who wrote in the record are not strangers.
    """
    own_name = reading.name
    rest = question.replace(own_name, "患者") if own_name else question
    known = {n.note.author for n in reading.notes} | {own_name}
    names = set(find_names(rest))
    if hit := _LEAD.match(rest):
        candidate = hit["name"]
        if not find_terms(candidate) and candidate in find_names(f"患者{candidate}，男，50岁"):
            names.add(candidate)
    rows = "".join(note.text for note in reading.encounter.structured_notes())
    names |= {name for name in _leading(rest) if name not in rows}
    for name in sorted(names):
        is_known = any(name in one or one in name for one in known if one)
        # 骆海峰主治医师 in the text of a note is of the ward.
        if not is_known and not any(f"{name}{t}" in n.text for n in reading.notes for t in _TITLES):
            return name
    bed = _BED.search(rest)
    own = re.search(r"\d+", reading.encounter.bed)
    if bed and own and int(bed[1]) != int(own[0]):
        return bed[0]
    return ""


_NO_NAME = re.compile(
    r"[么时后前次天日年月院术最低多少几哪谁有无没是用查看现入出病的]|.+高|^[近上下]"
)


def _leading(text: str) -> set[str]:
    """A name right before the first test, drug or finding of a question: 李红血钾多少."""
    found = [m.start for m in find_terms(text)]
    begin = _POLITE.match(text)
    start = begin.end() if begin else 0
    prefix = text[start : min(found)].removesuffix("的") if found else ""
    if not re.fullmatch(r"[\u4e00-\u9fff]{2,4}", prefix) or _NO_NAME.search(prefix):
        return set()
    surnames = set(words("surnames")) - set(words("doubtful_surnames"))
    if prefix[0] not in surnames and not prefix.startswith(tuple(words("double_surnames"))):
        return set()
    return {prefix} & find_names(f"患者{prefix}，男，50岁")


_POLITE = re.compile(r"(?:请问|查一下|看一下|帮我[查看]?(?:一下)?|那)?(?:患者|病人)?")
_TITLES = ("主治", "主任", "医师", "医生", "护士")
