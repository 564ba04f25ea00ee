"""What diseases of one family share.

Sources list the findings of 军团菌肺炎, 大叶性肺炎 and 肺炎 separately and none completely.
Diseases whose names end in the same disease name are a family; a finding that many of the
family list is credited in part to those that do not (partial pooling).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from knowledge.text.folding import fold

SMALLEST_FAMILY = 3
SMALLEST_SHARE = 0.2
CREDIT = 0.7


def share_in_families(names: Sequence[str], weights: list[dict[int, float]]) -> None:
    """Add to ``weights`` (one mapping concept → trust a disease) what its families support."""
    members = family_members(names)
    own = [dict(row) for row in weights]
    for family in members.values():
        if len(family) < SMALLEST_FAMILY:
            continue
        counts = Counter(concept for number in family for concept in own[number])
        shared = {
            concept: CREDIT * count / len(family)
            for concept, count in counts.items()
            if count >= 2 and count / len(family) >= SMALLEST_SHARE
        }
        for number in family:
            row = weights[number]
            for concept, trust in shared.items():
                row[concept] = max(row.get(concept, 0.0), trust)


def family_members(names: Sequence[str]) -> dict[str, list[int]]:
    """Family name → numbers of its members, the eponymous disease included."""
    folded = [fold(name) for name in names]
    known = set(folded)
    members: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(folded):
        for start in range(len(name) - 1):
            if name[start:] in known:
                members[name[start:]].append(number)
    return dict(members)
