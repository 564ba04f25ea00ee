"""What a text must say to tell a clause's event: its matter, without the words that lead to it."""

from __future__ import annotations

import re

from assistant.course.clauses import NoteClause
from assistant.course.cues import Cue
from assistant.grounding.source import clause_ranges
from knowledge.text.extraction import FINDING_KINDS
from knowledge.text.terms import find_terms

_LEAD = re.compile(
    r"^(?:今日|今晨|昨日|晨起|夜间|患[者儿]|[术伤]后第[\d一二两三四五六七八九十]+[日天]|术中|随后?|后|已|曾|现|予以?|给予|并)+"
)
_HEADING = re.compile(
    r"^[^，。：:]{0,14}?(?:病理|活检|冰冻|免疫组化|培养|涂片|抗原|核酸|CT|MRI|磁共振|X线片?|超声|彩超|造影"
    r"|心电图|脑电图|胃镜|肠镜|胸片)[^，。：:示见为]{0,6}(?:回报|报告|证实|检出|提示|显示|示|(?<![未不])见|为|[：:])+"
)
_PRODUCT = re.compile(r"红细胞|血小板|血浆|全血|冷沉淀")
_PLACE = re.compile(r"[A-Z]?ICU|CCU|重症医学科|重症监护|监护室")
_MORE = re.compile(r"[，,](?:对[^，]*(?:敏感|耐药)|直径|大小|长约|最深|范围)[^，]*")
_SHORT = 3


def asked(
    cue: Cue, match: re.Match[str], clause: NoteClause, text: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(all of these, one of these) for what a clause, or its sentence ``text``, tells."""
    match cue.kind:
        case "transfusion":
            product = _PRODUCT.search(clause.text)
            return ((product[0] if product else match[0]),), ()
        case "intensive_care":
            place = _PLACE.search(match[0])
            entered = place is not None and "出" not in match[0]
            return ((place[0] if place and entered else match[0]),), ()
        case "treatment":
            return (match[0],), ()
        case "complication":
            return (), _findings(text) or (led(clause.text),)
        case "consultation":
            head = text.partition("会诊")[0]
            who = re.search(r"[\u4e00-\u9fff]{2,8}$", head)
            return ((who[0],) if who else ()) + ("会诊",), ()
        case "pathology" | "microbiology" | "examination":
            return _results(clause.text), ()
    return _parts(led(clause.text)), ()


def _findings(text: str) -> tuple[str, ...]:
    """The names of illnesses and complaints in a sentence."""
    return tuple(
        dict.fromkeys(
            text[term.start : term.end] for term in find_terms(text) if term.kind in FINDING_KINDS
        )
    )


def _results(text: str) -> tuple[str, ...]:
    heading = _HEADING.match(text)
    rest = text[heading.end() :] if heading else text
    rest = _MORE.sub("", rest)
    # 未见血栓 alone does not say of what.
    whole = len(rest) < _SHORT or re.match(r"未|无|阴性|正常", rest)
    return _parts(led(text) if whole else rest)


def led(text: str) -> str:
    """The text without the words that lead to its matter: 今日, 患者, 予."""
    bare = _LEAD.sub("", text)
    return bare if len(bare) >= 2 else text


def _parts(text: str) -> tuple[str, ...]:
    ranges = clause_ranges(text)
    return (text,) if len(ranges) < 2 else tuple(text[a:b] for a, b in ranges)
