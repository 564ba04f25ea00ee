"""Terms that deny themselves by their own words: 不咳嗽, 非丹毒."""

from __future__ import annotations

import re

from knowledge.text.lexicon import Match

_NOT_SO = re.compile(r"[不没][咳喘痛疼痒烧吐泻麻晕胀肿热闷]{1,2}")
# 没有不咳嗽的时候.
_ALWAYS = re.compile(r"的(?:时候|日子)")
_NOT_NOT = re.compile(r"(?:并不是|并非|绝非|不是|没有一[天日夜]|无一[天日夜])\Z")
_NAMED_SO = re.compile(
    r"非(?!急性|慢性).{0,5}[性型]|非(?:洲|典|st|霍奇金|小细胞|结核|免疫|甾体|q波)"
)
# No name of a finding begins with these.
_DENIES_ALWAYS = ("冇", "唔", "弗")
_ALSO_NOT = re.compile(r"[亦也均皆并绝]\Z")
# A term that says itself that all is well: 胎动正常.
WELL = re.compile(r"(?<!不)(?<!欠)(?:正常|良好|平稳|通畅|自如|对称|居中)\Z")


def denies_itself(folded: str, match: Match) -> bool:
    """A wording such as 不咳嗽, unless that is denied in turn (并不是不咳嗽)."""
    before = folded[max(0, match.start - 6) : match.start]
    words = folded[match.start : match.end]
    denies = (
        match.denied
        or words.startswith(_DENIES_ALWAYS)
        or _NOT_SO.fullmatch(words) is not None
        or _is_not(before, words)
    )
    if before.endswith("没有") and _ALWAYS.match(folded, match.end):
        return False
    return denies and _NOT_NOT.search(before) is None


def _is_not(before: str, words: str) -> bool:
    """非丹毒 and 亦非接触性皮炎 deny; 非酒精性脂肪肝 is a name."""
    if not words.startswith("非"):
        return False
    return _ALSO_NOT.search(before) is not None or _NAMED_SO.match(words) is None
