"""What a clause denies, item by item, and denials that are turned into their opposite."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.text.folding import fold
from knowledge.text.terms import find_terms

_CUE = re.compile(
    r"否认|未见|未及|未(?:能|再)?[闻叩探]及|未闻|未触及|未扪及|未诉|未发现|未查见|未出现|未引出|未(?:检测到|检出|测出|显示|累及|侵及|累积)|没有(?!明显诱因)(?:[闻触扪叩探]及|见到?|发现|出现|引出)?|不伴|排除(?!术)|(?<![如若有])无"
    r"(?!力|尿(?![频急痛潴少])|菌|痛性|创|线|明显诱因|诱因|名|机|水(?![肿疱])|神|关|效|意识|意中|法|论|需|症状)"
)
TURNED = re.compile(
    r"(?:并非|不是|绝非|并不是|未必|不见得|难道|岂能?|不会|不可能|不等于|不代表)(?:说|完全|就|全|都|真的?)?"
    r"(?:是)?(?:没有?|无(?!关|创|痛性)|不(?!是|会|可|等|代)|未|否认|排除)"
    r"|(?:不能|不可|不应|不宜|无法|难以|未能?|尚不能|不足以|不)(?:完全|轻易|据此|就此|因此|仅凭[^,。]{0,8})?(?:否认|否定|排除|除外)"
    r"|(?:没有|无)(?:一|哪)?[天日次时刻](?:无刻)?(?:是)?不|无时无刻不|无不(?!适|良)|不得不|不无|不乏"
)
"""Two denials that undo each other, or a denial of a denial: what follows is not denied."""

_FAR = 120
_BEHIND = ("未触及", "未扪及", "未闻及", "未见", "未及", "未引出", "未出现", "未查见", "未发现")
_ITEM = re.compile(r"[^、和及与或等,，;。:()\s]+")
_END = re.compile(
    r"[,，;；。:\n(（]|但|而(?!且)|仅有?|只有|可见|有(?![关害毒机时效色无力限])|伴(?!随)|出现|提示|示(?=[\u4e00-\u9fff])"
)
_LEAD = re.compile(
    r"^(?:明显|任何|特殊|其他|显著|曾?有?|见|的|过|明确|再|再发|出现|发现|存在|患有?|家族|[闻触扪叩探]及|见到|引出|诉)+"
)
_TAIL = re.compile(r"(?:等|病史|史|不适|症状|表现|情况|现象|者)+$")


@dataclass(frozen=True, slots=True)
class Denied:
    """One thing that a cue denies, at ``[start, end)``; the cue begins at ``cue``."""

    text: str
    cue: int
    start: int
    end: int

    def within(self, begin: int) -> Denied:
        """The same counted from ``begin``; a cue before that is there."""
        return Denied(self.text, max(0, self.cue - begin), self.start - begin, self.end - begin)


def denials(text: str) -> list[Denied]:
    """The items of every denial of ``text``; a denial that is itself denied has none."""
    folded = fold(text)
    turned = [match.span() for match in TURNED.finditer(folded)]
    found: list[Denied] = []
    for match in _CUE.finditer(folded):
        if any(a < match.end() and match.start() < b for a, b in turned):
            continue
        end = _end(folded, match)
        if end == match.end() and match[0] in _BEHIND:
            # 肝脾肋下未触及: what is denied stands before.
            begin = max(folded.rfind(mark, 0, match.start()) for mark in ",，;；。:：\n") + 1
            if begin < match.start():
                found.append(Denied(text[begin : match.start()], match.start(), begin, match.end()))
            continue
        for item in _ITEM.finditer(folded, match.end(), end):
            if folded[item.start() - 1] == "等" and found:
                continue
            words = _LEAD.sub("", item[0])
            words = _TAIL.sub("", words) or words
            if words:
                at = folded.index(words, item.start())
                found.append(Denied(text[at : at + len(words)], match.start(), at, at + len(words)))
    return found


_BARE = re.compile(r"[,，](?P<words>[^,，;；。:\n\d]{2,16})(?=[,，;；。\n]|$)")
_NAME = re.compile(
    r"[^有患父母兄弟姐妹体健阳]*(?:病|症|炎|癌|瘤|疹|衰竭|不全|亢进|减退|硬化|出血|结石|血栓|[梗栓]塞|梗死|障碍"
    r"|综合征|畸形|骨折|溃疡|结核|史)(?:等.{0,6})?"
)
"""What no list has, and is the name of an illness or of a history by its last word."""

_JOINT = re.compile(r"(?:[、及和与或\s]|以及|等|病史|史|慢性|急性|传染|疾?病|药物|类)*")


def _is_named(words: str) -> bool:
    """Whether a bare clause only names what one may have had: 甲状腺功能亢进症, 头孢, 外伤史."""
    rest = list(words)
    for term in find_terms(words):
        rest[term.start : term.end] = " " * (term.end - term.start)
    return _JOINT.fullmatch("".join(rest)) is not None or _NAME.fullmatch(words) is not None


def _end(folded: str, cue: re.Match[str]) -> int:
    """Where what a cue denies ends; 否认 goes on over the commas of a list of names."""
    limit = min(len(folded), cue.end() + _FAR)
    stop = _END.search(folded, cue.end(), limit)
    end = stop.start() if stop else limit
    while cue[0].startswith("否认") and (more := _BARE.match(folded, end, limit)):
        if _CUE.search(more["words"]) or not _is_named(more["words"]):
            break
        end = more.end()
    return end


def is_turned(text: str, start: int) -> bool:
    """Whether what begins at ``start`` stands behind two denials that undo each other."""
    folded = fold(text)
    edge = max((folded.rfind(mark, 0, start) for mark in ",;。"), default=-1) + 1
    return any(match.end() <= start + 1 for match in TURNED.finditer(folded, edge, start + 2))
