"""Age and sex: what a text says of the patient, and whom a disease befalls."""

# ruff: noqa: E501 - tables of Chinese words read best on one line

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.text.number import read_number

Sex = Literal["male", "female"]

_NUMBER = r"(?:\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百]+|半)"
# 3岁, 2岁3个月, 一岁半, 7个月大, 13天的宝宝; not 3天前, 发热3天.
_YEARS = re.compile(
    rf"(?P<years>{_NUMBER})个?多?(?:周)?岁(?:零|又|多)?(?:(?P<half>半)|(?P<months>{_NUMBER})个?月)?"
)
_MONTHS = re.compile(
    rf"(?P<months>{_NUMBER})个?(?P<half>半|多)?月(?:大|龄|的(?=宝|孩|婴|女|男))?(?!前|后|内|来|以|余|经|月)"
)
_DAYS = re.compile(
    rf"(?:^|新生儿|出生|生后|宝宝|宝贝|孩子|今天|现在)(?P<days>{_NUMBER})天(?=[,，!！女男])"
    rf"|(?P<told>{_NUMBER})天(?:大|龄|的宝宝)"
    rf"|(?:[男女]婴|新生儿|日龄)[,，]?(?P<old>{_NUMBER})[天日](?=[,，。;；])"
)
# 女,14月, and 男,42天, at the head of a case: an age, where 3天 elsewhere is how long it lasts.
_TOLD_FIRST = re.compile(
    rf"[^。;；\n]{{0,6}}?[男女](?:性|婴|孩|童)?[,，、\s]{{0,2}}(?P<count>{_NUMBER})个?(?:(?P<months>月)|天|日)(?:龄|大)?(?=[,，。、\s])"
)
_MOST_MONTHS, _MOST_DAYS = 48, 120
_CHILD_WORDS = (
    ("新生儿", 0.04), ("早产儿", 0.04), ("婴儿", 0.5), ("宝宝", 1.5), ("宝贝", 1.5), ("婴幼儿", 1.0), ("幼儿", 2.0),
    ("患儿", 4.0), ("小儿", 4.0), ("小孩", 4.0), ("孩子", 4.0), ("小朋友", 5.0), ("女儿", 4.0), ("儿子", 4.0),
)  # fmt: skip


def _value(words: str) -> float:
    number = read_number(words, 0)
    return float(number.value) if number else 0.5


def age_in(text: str) -> float | None:
    """The patient's age in years as a text states it, or a rough one for 宝宝 and the like."""
    hit = _TOLD_FIRST.match(text)
    if hit and (count := _value(hit["count"])) <= (_MOST_MONTHS if hit["months"] else _MOST_DAYS):
        return count / 12 if hit["months"] else count / 365
    hit = _YEARS.search(text)
    if hit:
        years = _value(hit.group("years"))
        if hit.group("half"):
            years += 0.5
        elif hit.group("months"):
            years += _value(hit.group("months")) / 12
        return years if years <= 130 else None
    for hit in _MONTHS.finditer(text):
        months = _value(hit.group("months")) + (0.5 if hit.group("half") else 0.0)
        if months <= _MOST_MONTHS and (
            "个" in hit.group() or "大" in hit.group() or "龄" in hit.group()
        ):
            return months / 12
    hit = _DAYS.search(text)
    if hit and (days := _value(hit["days"] or hit["told"] or hit["old"])) <= _MOST_DAYS:
        return days / 365
    return next((years for word, years in _CHILD_WORDS if word in text), None)


def sex_in(text: str) -> Sex | None:
    """The patient's sex as a text states it plainly."""
    female = re.search(
        r"(?:^|[,，。、;；:：\s(（])女(?=[,，。、;；\s)）\d童婴宝孩性]|$)|女宝|女孩|女婴|女童|女性|女儿|性别[:：]?女",
        text,
    )
    male = re.search(
        r"(?:^|[,，。、;；:：\s(（])男(?=[,，。、;；\s)）\d童婴宝孩性]|$)|男宝|男孩|男婴|男童|男性|儿子|性别[:：]?男",
        text,
    )
    if bool(female) == bool(male):
        return None
    return "female" if female else "male"


@dataclass(frozen=True)
class Group:
    """Whom a disease befalls: years ``[low, high]``, and one sex only when ``sex`` is set.

    ``strict`` when the disease as named cannot occur outside (a disease of the newborn).
    """

    low: float = 0.0
    high: float = 130.0
    sex: Sex | None = None
    strict: bool = False
    stated: bool = False


# First match wins within a list: (words, low, high).
_AGES = (
    (r"新生儿|早产儿|产伤", 0, 0.25), (r"婴幼儿|2岁以下|3岁以下|两岁以下|三岁以下", 0, 4), (r"婴儿|乳儿|1岁以下", 0, 1.5),
    (r"儿童和青少年|儿童及青少年|少年儿童", 0, 18), (r"幼儿|学龄前|5岁以下|6岁以下", 0, 7), (r"小儿|儿童|男孩|女孩|男童|女童|患儿|10岁以下|学龄期", 0, 15),
    (r"青少年|少年", 8, 22), (r"青春期", 9, 20), (r"老年|老人|60岁以上|65岁以上|50岁以上|高龄", 50, 130),
    (r"中老年|40岁以上|45岁以上|绝经", 38, 130), (r"40～60岁|中年", 35, 65), (r"青壮年|中青年|20～40岁|青年|年轻", 14, 50),
    (r"孕|产妇|妊娠|育龄|生育|哺乳|产褥|分娩", 14, 52), (r"成年|成人", 15, 130), (r"30～50岁", 25, 55),
)  # fmt: skip
_STRICT_NAMES = (
    (r"^新生儿|新生儿", 0, 0.25), (r"^小儿|^儿童|儿童期", 0, 16), (r"婴幼儿|婴儿", 0, 4), (r"^老年|老年人|老年性", 50, 130),
    (r"妊娠|产后|产褥|分娩|孕|胎盘|羊水|子宫|卵巢|月经|痛经", 10, 60), (r"绝经|更年期|围绝经", 38, 70), (r"青春期", 9, 20), (r"前列腺", 16, 130),
)  # fmt: skip
_FEMALE = re.compile(
    r"妊娠|产后|产褥|分娩|孕|胎盘|羊水|子宫|宫颈|卵巢|输卵管|阴道|外阴|月经|痛经|闭经|绝经|更年期|经前期|乳腺(?!癌)|白带|盆腔炎|宫外|流产|难产|女性|附件炎|哺乳"
)
_MALE = re.compile(r"前列腺|睾丸|附睾|阴茎|阴囊|精索|精囊|包皮|遗精|阳痿|早泄|男性|输精管|龟头")
_FEMALE_GROUP = re.compile(
    r"^(?:育龄|成年|中年|老年|青年|年轻|生育年龄|已婚|未婚)?(?:女性|妇女|孕妇|产妇)$"
)
_MALE_GROUP = re.compile(r"^(?:成年|中年|老年|青年|年轻)?男性$")


def disease_group(name: str, population: Sequence[str], departments: Iterable[str]) -> Group:
    """The group that a disease befalls, from its name, its stated population and its departments."""
    sex: Sex | None = "female" if _FEMALE.search(name) else "male" if _MALE.search(name) else None
    if "新生儿" in name or "小儿" in name:
        sex = None if "女" not in name and "男" not in name else sex
    for pattern, low, high in _STRICT_NAMES:
        if re.search(pattern, name):
            return Group(low, high, sex, strict=True, stated=True)
    ranges = [
        next(((low, high) for pattern, low, high in _AGES if re.search(pattern, text)), None)
        for text in population
    ]
    stated = [limits for limits in ranges if limits is not None]
    if stated and len(stated) == len(ranges):
        return Group(min(r[0] for r in stated), max(r[1] for r in stated), sex, stated=True)
    paediatric = [("儿" in department) for department in departments]
    if paediatric and all(paediatric):
        return Group(0, 18, sex, stated=True)
    return Group(sex=sex)
