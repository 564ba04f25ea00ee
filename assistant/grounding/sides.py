"""Left, right and both, with the part of the body after them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Side:
    """左, 右 or 双 with the body part after it (up to 3 code points, 侧 dropped)."""

    side: str
    part: str
    start: int
    end: int


_SIDE = re.compile(
    r"(?P<side>双|左(?!右|旋|氧|卡|西|甲状腺素|炔|乙|布|洛|奥)|(?<!左)右(?!旋|美|佐|雷|丙|酮|酰))"
    r"(?:侧|边)?(?:未见|未及|无)?(?P<part>(?:(?![左右双])[\u4e00-\u9fff]){0,3})"
)
_NOT_SIDES = re.compile(r"双(?:氯|歧|黄|胍|嘧|相|层|重|膦|肽|抗|联|向|酚)")


def sides(text: str) -> list[Side]:
    """Laterality words; drug names such as 左氧氟沙星 and 双氯芬酸 are not laterality."""
    return [
        Side(match["side"], match["part"], match.start(), match.end())
        for match in _SIDE.finditer(text)
        if not _NOT_SIDES.match(text, match.start())
    ]
