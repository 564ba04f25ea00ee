"""Wrong meanings: the other side, a turned negation, another drug."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from assistant.grounding.segments import Segment
from assistant.grounding.source import clause_at
from eval.clinical.checker.record import Record
from eval.clinical.checker.substitutes import DRUG, alike
from eval.clinical.checker.trial import Trial, exchanged

_SIDE = re.compile(
    r"(?P<side>(?<!右)左(?!右|旋|氧|卡|西|甲|炔|乙|布|洛|奥)|(?<!左)右(?!左|旋|美|佐|雷|丙|酮|酰))"
    r"(?:侧|边)?(?P<part>[\u4e00-\u9fff])"
)
_OTHER = {"左": "右", "右": "左"}

DENIALS = (
    ("未闻及", "可闻及"),
    ("未触及", "可触及"),
    ("未查见", "查见"),
    ("未发现", "发现"),
    ("未见", "可见"),
    ("未诉", "诉"),
    ("否认", "有"),
    ("没有", "有"),
    ("无", "有"),
)
ASSERTIONS = (("可闻及", "未闻及"), ("可触及", "未触及"), ("可见", "未见"), ("伴", "不伴"))
_DENIED = re.compile(
    r"(?P<cue>未闻及|未触及|未查见|未发现|未见|未诉|否认|没有"
    r"|(?<![若如有])无(?!力|尿|菌|创|痛性|线|名|机|水|神|关|效|明显诱因|诱因))"
    r"(?P<skip>明显|任何|特殊)?(?P<thing>[\u4e00-\u9fff]{2,5})"
)
_ASSERTED = re.compile(
    r"(?P<cue>可闻及|可触及|(?<!不)可见|(?<!不)伴)(?P<thing>[\u4e00-\u9fff]{2,5})"
)
_NEGATIVE = re.compile(r"(?P<thing>[\u4e00-\u9fffA-Za-z]{2,6})(?P<cue>阴性|(?<!未)阳性)")
_COMPLAINT = re.compile(
    r"(?:(?<=^)|(?<=[，。：、]))(?P<thing>发热|咳嗽|咳痰|胸痛|胸闷|腹痛|腹胀|腹泻|头痛|头晕|恶心|呕吐|水肿"
    r"|乏力|气促|心悸|便血|黑便|咯血|黄疸|疼痛|瘙痒|抽搐)"
)


def wrong_sides(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """Left for right or right for left, once."""
    text = segment.text
    found = list(_SIDE.finditer(text))
    if not found:
        return
    match = dice.choice(found)
    after = _OTHER[match["side"]]
    part = re.compile(rf"(?:{after}|双)(?:侧|边)?{match['part']}")
    clause = clause_at(text, match.start())
    if not record.sentences.may_tell(part, clause.replace(match[0], " ", 1)):
        yield exchanged(record.id, "side", text, segment.span, match.start(), match["side"], after)


def turned_negations(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """What is denied is affirmed, or the other way round; nowhere else is it meant like that."""
    text = segment.text
    ways: list[tuple[int, str, str, str, bool]] = []
    for match in _DENIED.finditer(text):
        after = dict(DENIALS)[match["cue"]]
        ways.append((match.start(), match["cue"], after, match["thing"], False))
    for match in _ASSERTED.finditer(text):
        after = dict(ASSERTIONS)[match["cue"]]
        ways.append((match.start(), match["cue"], after, match["thing"], True))
    for match in _NEGATIVE.finditer(text):
        thing = match["thing"][-4:]
        negative = match["cue"] == "阴性"
        after = "阳性" if negative else "阴性"
        ways.append((match.start("cue"), match["cue"], after, thing, not negative))
    for match in _COMPLAINT.finditer(text):
        ways.append((match.start(), "", "无", match["thing"], True))
    if not ways:
        return
    at, before, after, thing, denied = dice.choice(ways)
    # The first two characters name the thing; what follows may belong to the next word.
    if not record.sentences.says(thing[:2], denied=denied):
        yield exchanged(record.id, "negation", text, segment.span, at, before, after)


def wrong_drugs(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """A drug exchanged for another of its class that the record does not name."""
    found = list(DRUG.finditer(segment.text))
    if not found:
        return
    match = dice.choice(found)
    others = [name for name in alike(match[0]) if not record.sentences.holds(name)]
    if others:
        yield exchanged(
            record.id,
            "drug",
            segment.text,
            segment.span,
            match.start(),
            match[0],
            dice.choice(others),
        )
