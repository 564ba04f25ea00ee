"""Items of a differential diagnosis: a disease before a colon, argued against, then excluded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.text.assertion.marks import Terms
from knowledge.text.synonyms import TermKind

# The beginning of an item of a list, before a diagnosis and its colon.
_ITEM = re.compile(
    r"(?:^|[。;\n\r:])[ \t]*(?:\(?[\d①-⑳一二三四五六七八九十]{1,3}[.、):]?)?[ \t]*\Z"
)
# A whole clause that excludes what its item is about, and what takes that back.
_EXCLUDED = re.compile(
    r"[ \t]*(?:故|现|目前|暂|本病|该病|此病|因此){0,3}"
    r"(?:(?:可以?|已|予以?|基本){0,3}(?:排除|除外)|不(?:予)?考虑)(?:本病|该病|此病|该?诊断)?[ \t]*"
)
_NOT_EXCLUDED = re.compile(r"但|考虑|支持|不能|不除外")


def excluded(folded: str, terms: Terms) -> Iterator[int]:
    """Numbers of the diseases that head an item which ends by excluding them."""
    headed = [
        index
        for index, match in enumerate(terms.matches)
        if folded.startswith(":", match.end)
        and _ITEM.search(folded[max(0, match.start - 12) : match.start])
    ]
    for number, index in enumerate(headed):
        start = terms.matches[index].end
        end = folded.find("\n", start)
        end = len(folded) if end < 0 else end
        if number + 1 < len(headed):
            end = min(end, terms.matches[headed[number + 1]].start)
        if terms.matches[index].kind is TermKind.DISEASE and _is_excluded(folded[start:end]):
            yield index


def _is_excluded(item: str) -> bool:
    """Whether a clause of the item says so and none after it takes it back."""
    clauses = re.split(r"[,;。:]", item)
    excluding = [number for number, words in enumerate(clauses) if _EXCLUDED.fullmatch(words)]
    after = clauses[excluding[-1] + 1 :] if excluding else []
    return bool(excluding) and not any(_NOT_EXCLUDED.search(words) for words in after)
