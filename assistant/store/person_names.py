"""Finds the names of persons in clinical text, by the words that stand around them.

What surrounds names is a table, ``data/name_rules.tsv``, in which every row has its example; the
words that names are made of, and those that only look like names, are in ``data/name_words.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from assistant.store.rule_table import HAN, any_of, expand, read, rows, words

_DOTS = "·•・‧∙⋅"
_DISEASE_NAMED_AFTER = "综合|氏|病|征|试验|反射|法|术|分[期级类型]|评分|指数|线|现象|细胞|体|孔|管"


@dataclass(frozen=True, slots=True)
class NameRule:
    """One way in which a name stands in a text.  ``kind``: how sure it is that one does."""

    kind: str
    pattern: re.Pattern[str]
    example: str
    expected: str


def find_names(text: str) -> set[str]:
    """The names in ``text``."""
    names: set[str] = set()
    for rule in rules():
        for match in rule.pattern.finditer(text):
            name = match["name"].strip()
            if _is_name(name, rule.kind):
                names.add(name)
                names.update(_rest_of_list(text, match.end("name")))
    return names


def not_names() -> tuple[str, ...]:
    """Words that only look like a name, or begin like one."""
    return words("not_names")


@cache
def rules() -> tuple[NameRule, ...]:
    """The table of rules."""
    return tuple(
        NameRule(kind, re.compile(expand(pattern, _macros())), *others)
        for kind, pattern, *others in rows("name_rules.tsv")
    )


@cache
def _macros() -> dict[str, str]:
    sounds = "".join(words("sounds"))
    longer = tuple(word for word in words("follows") if len(word) > 1)
    behind = words("follows") + words("after_names")
    return {
        "HAN": HAN,
        "SURNAME": f"(?:{any_of(words('double_surnames'))}|[{''.join(words('surnames'))}])",
        "CLEAR_SURNAME": (
            f"(?:{any_of(words('double_surnames'))}"
            f"|[{''.join(set(words('surnames')) - set(words('doubtful_surnames')))}])"
        ),
        "GIVEN": f"[{HAN}]",
        "G": f"[{''.join(words('given'))}]",
        "AFTER": f"(?:{any_of(words('after_names'))})",
        # The longest name whose last character begins no word: 赵敏 of 赵敏明日.
        "SURE": "(?P<name>{CLEAR_SURNAME}(?!{AFTER}){G}(?:(?!{AFTER}){G})?)",
        "DOT": rf"\s?[{_DOTS}]",
        "LEAD": any_of(words("leads")),
        "CLOSE": f"(?:{any_of(behind)}|(?![{HAN}]))",
        "CLOSE_WORD": f"(?:{any_of(behind)})",
        "STAFF": (
            "(?:(?:[住院主经管上级治诊查房责任手术首接门值班记录报告检验书写麻醉病理放射会]{1,4})?(?:医[师生]|护士长?|大夫)|"
            "护师|药师|技师|康复师|治疗师|营养师|麻醉师|术者|主刀|助手|护工|教授|主任)"
        ),
        "MORPHEME": any_of(_morphemes()),
        # 其子古丽…: 其 is also a sound of names.
        "NO_KIN": "(?<!其)(?!其[父母子女夫妻兄弟姐妹])",
        "MINORITY": f"(?:{{NO_KIN}}[{sounds}]{{0,2}}?(?:{{MORPHEME}})[{sounds}]{{0,4}}?)",
        "SYLLABLES": (
            f"(?:{{NO_KIN}}(?:[{sounds}]{{2,8}}(?![{HAN}])|"
            f"(?:{{MORPHEME}}){{1,3}}(?:[江汗罕木提尔丁肯]|尼莎|别克)?|[{sounds}]{{2,8}}))"
        ),
        "DOTTED": (
            rf"(?P<name>[{HAN}]{{1,8}}(?:\s?[{_DOTS}]\s?[{HAN}]{{1,8}}?){{1,3}}){{END_OF_DOTTED}}"
        ),
        # 不 and 因 are characters of such names too.
        "END_OF_DOTTED": (
            f"(?=\\s*(?:{any_of(tuple(w for w in behind if len(w) > 1 or w in '诉有无已血停今'))})"
            f"|(?![{HAN}]))"
        ),
        "SOUND": f"[{sounds}]",
        "TRANSLITERATED": (
            rf"(?P<name>{{SYLLABLES}}(?:[{_DOTS}]{{SYLLABLES}}){{1,3}})"
            rf"(?!{_DISEASE_NAMED_AFTER})"
        ),
        "LATIN": "[A-ZÀ-Þ][A-Za-zÀ-ÿ'’.-]*",
        "FOREIGN": r"(?P<name>{LATIN}(?:[ ·]+(?:{PARTICLE} )?{LATIN}){1,3}){END}",
        "ANY": (
            r"(?P<name>(?!.(?:\s|$)){LATIN}(?:[ ·]+(?:{PARTICLE} )?{LATIN}){0,3}"
            rf"|[{HAN}]{{1,8}}(?:\s?[{_DOTS}]\s?[{HAN}]{{1,8}}){{1,3}}"
            rf"|[{HAN}]{{2,4}}(?![{HAN}]|\s*[:：])|{{MINORITY}}(?![{HAN}]))"
        ),
        "NAME": r"(?P<name>{SURNAME}{GIVEN}{EITHER}|{SURNAME}{GIVEN}{1,2}?|{MINORITY})",
        # 蒋大为代诉: the last of a name, unless the sentence goes on from it.
        "EITHER": f"[为有和来在系现近](?=\\s*(?:{any_of(longer)})|(?![{HAN}]))",
        "NICKNAME": "(?P<name>[老小阿大]{SURNAME})",
        "FIELD": (
            "(?:(?:患者|病人|家属|患儿|产妇|受检者|母亲|父亲)?姓名|名字|紧急联系人|联系人|监护人|陪护人|陪同人|"
            "委托人|代理人|陈述者|供史者|病史(?:叙述|陈述|提供|采集)者|叙述者|记录者|记录人|采集者|审核者|审核人|"
            "书写者|(?:患者|病人|家属|医师|医生|护士|本人|代理人|委托人|监护人|医师手工|上级医师)?(?:签名|签字|签章)|"
            "(?i:patient(?:'s)? name|full name|name|patient|signature|signed by))"
        ),
        "ROLE": (
            "(?:(?:[住院主经管上级治诊查房责任手术首接门值班记录审核报告检验书写]{1,4}(?:医[师生]|护士)|护士长|护师|主任|"
            "麻醉师|麻醉医师|术者|主刀|助手|[一二三]助|第?[一二三]助手|洗手护士|巡回护士|药师|技师|会诊者|"
            "检查者|报告者|诊断者|送检医师)(?:签[名字])?)"
        ),
        "PLAIN_ROLE": "(?:医[师生]|护士|大夫)",
        "PATIENT": "(?:患者|病人|患儿|产妇|孕妇|伤者|死者|患婴|受检者|受试者|就诊者|体检者|老人)",
        "PARTICLE": "(?:del?|de la|van(?: de[rn]?)?|von|da|dos|di|bin|al|el|le|la)",
        "KIN": f"(?:{any_of(words('kin'))})",
        "SHORT_KIN": f"(?:{any_of(words('short_kin'))})",
        "TITLE": f"(?:{any_of(words('titles'))})",
        "ETHNIC": f"(?:{any_of(words('peoples'))})族",
        "SEP": r"(?:\s*[:：|]\s*|\s+)",
        "SEP0": r"(?:\s*[,，:：]\s*|\s*)",
        "END": f"(?=\\s*(?:{any_of(behind)})|(?![{HAN}]))",
    }


def _is_name(name: str, kind: str) -> bool:
    """Whether a candidate is a name; a field leaves least doubt of it, a title and 患者 most."""
    sure = kind in ("field", "known", "relation", "opening")
    if re.match(r"[A-ZÀ-Þ]", name):
        return _is_latin_name(name)
    if any(dot in name for dot in _DOTS):
        return not re.search("[征病症]|综合|试验", name)
    if name[1:] in ("某", "某某", "XX", "xx", "××"):
        return True
    if any(morpheme in name for morpheme in _morphemes()):
        return True
    if len(name) < 2 or any(c in _never() and not (sure and c in _given()) for c in name):
        return False
    if len(name) > 2 and name[:2] in words("double_surnames"):
        return True
    if kind == "title" and name.startswith(words("not_before_titles")):
        return False
    if kind == "field":
        return name not in words("kin") and (name not in not_names() or _like_a_name(name))
    if name.startswith(not_names()):
        return False
    if len(name) == 2 and not sure and name[1] in words("never_alone_in_names"):
        return False
    if name[0] in "老小阿大" and len(name) == 2:
        return name[1] not in words("doubtful_surnames") and name[1] not in "方关年于"
    if kind in ("patient", "opening") and name[0] in "常易":
        return False
    # 于 is a common surname, and after kin seldom the word.
    return name[0] not in words("doubtful_surnames") or (name[0] == "于" and kind != "patient")


def _like_a_name(name: str) -> bool:
    """Whether a word that is none as a rule (安宁, 丁香) is one in a field all the same."""
    return 1 < len(name) < 4 and name[0] in words("surnames") and set(name[1:]) <= _given()


@cache
def _given() -> frozenset[str]:
    return frozenset(words("given"))


def _is_latin_name(name: str) -> bool:
    known = words("not_latin_names")
    parts = re.split(r"[ ·.]+", name.strip(" .·"))
    return not any(part in known or not re.search("[AEIOUYaeiouyÀ-ÿ]", part) for part in parts[:1])


def _rest_of_list(text: str, start: int) -> Iterator[str]:
    """The names that follow one in a list: 王建国、李红/赵敏."""
    pattern = _list_item()
    while (match := pattern.match(text, start)) and _is_name(match["name"], "relation"):
        yield match["name"]
        start = match.end("name")


@cache
def _list_item() -> re.Pattern[str]:
    return re.compile(expand(rf"\s*[、/]\s*{{NAME}}(?=\s|[^{HAN}\w]|$)", _macros()))


@cache
def _never() -> frozenset[str]:
    return frozenset(words("never_in_names"))


@cache
def _morphemes() -> tuple[str, ...]:
    lines = read("minority_names.txt").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())
