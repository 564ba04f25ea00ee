"""Words that say the contrary of one another: 愈合良好 and 愈合不良."""

from __future__ import annotations

import re

_OPPOSITES = [
    ("愈合良好", "愈合不良|愈合欠佳"),
    ("良好|尚可|(?<!不)佳", "不良|欠佳|不佳|较差"),
    (
        "上升|升高|增高|增加|增多|升至|增至|增大|↑",
        "下降|降低|减低|减少|降至|减至|缩小|↓",
    ),
    ("好转|减轻|缓解|改善|消退", "加重|恶化|未缓解|无缓解|进展"),
    ("增大|肿大", "缩小"),
    ("(?<!不)规则", "不规则"),
    ("(?<!不)清楚|清晰|神清", "不清|模糊"),
    ("(?<!不)正常", "异常|不正常"),
    ("(?<!不)通畅", "不畅|不通|梗阻"),
    ("大出血|大量", "少量|少许"),
    ("治愈|痊愈", "未愈|未治愈"),
    ("(?<!不)成功", "失败|不成功|未成功"),
    ("良性", "恶性"),
]
_OPPOSED = [(re.compile(a), re.compile(b)) for a, b in _OPPOSITES]


def opposed(text: str, other: str) -> bool:
    """True when one says 上升 where the other says 下降, and the like."""
    pairs = [pair for one, two in _OPPOSED for pair in ((one, two), (two, one))]
    return any(
        first.search(text)
        and not second.search(text)
        and second.search(other)
        and not first.search(other)
        for first, second in pairs
    )
