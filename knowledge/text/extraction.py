"""Findings from Chinese clinical text and from what patients write about themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Finding, Span
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon, Match
from knowledge.text.synonyms import TermKind

FINDING_KINDS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE})


_TREATMENT = re.compile(r"抗-?$")
"""抗感染 and 抗休克 name what is given, which says nothing of what the patient has."""

_OF_SOMETHING_ELSE = re.compile(
    r"型|科(?![学室])|筛查(?!:?阳)|(?<=发热)门诊|坏死因子|标[志记]物"
    r"|(?:链|双|葡萄)?球菌|[支衣]原体|克雷伯|螺旋体|病毒(?!感染|携带|性)"
    r"|(?:减毒|灭活|活|联合|结合|多糖)*疫苗|(?:人|类)?(?:免疫球蛋白|抗毒素)|(?:表面|核心)?抗[体原]|核酸|(?<=肠鸣)音(?![^,。;\n]{0,4}(?:亢进|活跃|增强))"
)
"""溃疡型 is how a tumour looks, 感染科 and 发热门诊 are places, 肿瘤坏死因子 is a drug; 肺炎球菌 is
what may cause it, 乙肝疫苗 what prevents it, 艾滋病抗体 a test for it."""


def names_something_else(text: str, start: int, end: int) -> bool:
    """Whether the term at ``[start, end)`` is part of another name, which is no finding."""
    before = text[max(0, start - 2) : start]
    if text.startswith("口", start) and before[-1:] in ("切", "创", "伤", "瘘"):
        # 切口干燥 is no dry mouth.
        return True
    return bool(_TREATMENT.search(before) or _OF_SOMETHING_ELSE.match(text, end))


_TENDER, _ABDOMEN_TENDER = "压痛", "腹部压痛"
_ABDOMEN = "腹脐脘剑肝胆胰脾麦阑"
_OTHER_SITE = re.compile(
    r"(?:头皮|颅|颞|额|面(?!容)|眶|鼻|窦|耳|乳突|颌|咽|颈|甲状腺|淋巴结|肩|锁骨|肱|肘|尺骨|桡|腕|手(?!术)|掌|指|胸|肋(?!下|缘)|乳[房腺]"
    r"|背|脊|椎|棘突|腰|骶|骨盆|腹股沟|会阴|阴囊|睾丸|臀|髋|股|大腿|膝|髌|胫|腓|小腿|踝|足|跟|趾|[上下四]肢|关节|肌(?!紧张|卫|抵抗)|(?<!耻)骨)"
)
_JUST_BEFORE = re.compile(rf"{_OTHER_SITE.pattern}[^,。;:、\n{_ABDOMEN}]{{0,10}}\Z")
_ABDOMEN_NAMED = re.compile(f"[{_ABDOMEN}]|髂窝")
_REBOUND = re.compile(r"[^。；;\n]{0,8}反跳痛")
_SENTENCE = re.compile(r"[。;\n]")


def _at_its_site(text: str, match: Match) -> Match:
    """Tenderness is the abdomen's where its sentence tells of the abdomen before it, or of rebound
    behind it, and its clause of no other place (腹软，髋部压痛); where no place is told it is
    nobody's (压痛明显)."""
    if match.concept != _TENDER:
        return match
    before = _SENTENCE.split(fold(text[max(0, match.start - 60) : match.start]))[-1]
    of_abdomen = _ABDOMEN_NAMED.search(before) or _REBOUND.match(text, match.end)
    if of_abdomen and not _JUST_BEFORE.search(before):
        return replace(match, concept=_ABDOMEN_TENDER)
    return match


class FindingReader(Protocol):
    """Reads the findings of a text."""

    def extract(self, text: str, note_id: str) -> list[Finding]:
        """The findings of ``text``, which is the note ``note_id``, in text order."""


class FindingExtractor:
    """Finds the terms of a lexicon in a note and how the note means them."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    @property
    def lexicon(self) -> Lexicon:
        """The terms that are looked for."""
        return self._lexicon

    def matches(self, text: str) -> list[Match]:
        """The symptoms, signs and diseases that ``text`` names, in text order."""
        found = self._lexicon.find(text, FINDING_KINDS)
        return [
            _at_its_site(text, m) for m in found if not names_something_else(text, m.start, m.end)
        ]

    def extract(self, text: str, note_id: str) -> list[Finding]:
        """The findings of ``text`` in text order.

        Each span covers the wording in ``text`` exactly (code points); symptoms, signs and
        diseases only.  A finding is reported as often as the text states it.
        """
        return findings(text, note_id, self.matches(text))


def findings(text: str, note_id: str, matches: Sequence[Match]) -> list[Finding]:
    """What ``text`` says of each of its ``matches``, in their order."""
    return [
        Finding(
            text=text[match.start : match.end],
            concept=match.concept,
            span=Span(note_id=note_id, start=match.start, end=match.end),
            polarity=assertion.polarity,
            certainty=assertion.certainty,
            temporality=assertion.temporality,
            experiencer=assertion.experiencer,
        )
        for match, assertion in zip(matches, assert_terms(text, matches), strict=True)
    ]
