"""Made lists for bench/catalogue.py, and names of their entries as bills write and readers read."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assistant.tasks.bill_ocr.catalogue.entry import Entry, Written

_STRENGTH = re.compile(r"(\d+(?:\.\d+)?)(mg|g)(?![a-z])")
OWN = 0.25
"""Share of a drug's names that have a brand."""


@cache
def words() -> dict[str, Any]:
    """The words, those that are one text as lists."""
    text = Path(__file__).with_name("catalogue_words.yaml").read_text("utf-8")
    loaded = yaml.safe_load(text)
    return {k: v.split() if isinstance(v, str) else v for k, v in loaded.items()}


def made_list(count: int, seed: int) -> list[Entry]:
    """``count`` entries: six drugs, three services and one consumable in ten; codes are unique,
    names with specification, form and maker as well."""
    draw = random.Random(seed)
    makers = _makers(draw, max(60, count // 250))
    found: dict[tuple[str, ...], Entry] = {}
    kinds: tuple[Callable[[random.Random, list[str]], dict[str, str]], ...]
    kinds = (_drug,) * 6 + (_service,) * 3 + (_consumable,)
    while len(found) < count:
        made = draw.choice(kinds)(draw, makers)
        key = (made["name"], made.get("specification", ""), made.get("maker", ""))
        if key in found:
            made["name"] = f"{_prefix(draw)}{made['name']}"
            key = (made["name"], *key[1:])
        if key not in found:
            found[key] = Entry(code=f"X{len(found):07d}", list="made", **made)
    return list(found.values())


def _makers(draw: random.Random, count: int) -> list[str]:
    pairs = [p + t for p in words()["makers_places"] for t in words()["makers_tails"]]
    return draw.sample(pairs, min(count, len(pairs)))


def _prefix(draw: random.Random) -> str:
    """Lists of 200,000 need more names than there are: two invented syllables before them."""
    return draw.choice(words()["brands_heads"]) + draw.choice(words()["brands_tails"])


def _drug(draw: random.Random, makers: list[str]) -> dict[str, str]:
    generic, form = draw.choice(words()["drugs"]), draw.choice(list(words()["drug_forms"]))
    strength = draw.choice(words()["drug_forms"][form])
    name = f"注射用{generic}" if form == "注射用" else f"{generic}{form}"
    unit = {"片": "片", "囊": "粒"}.get(form[-1], "支" if "注射" in form else "")
    pack = f"*{draw.choice(words()['packs'])}{unit}" if unit in ("片", "粒") else ""
    brand = _prefix(draw) if draw.random() < OWN else ""
    return {
        "name": name,
        "specification": strength + pack,
        "form": {"注射用": "粉针剂"}.get(form, form),
        "maker": draw.choice(makers),
        "brand": brand,
        "category": draw.choice("甲乙丙"),
    }


def _service(draw: random.Random, makers: list[str]) -> dict[str, str]:
    kind = draw.random()
    if kind < 0.4:
        name = draw.choice(words()["parts"]) + draw.choice(words()["modalities"])
    elif kind < 0.85:
        name = f"{draw.choice(words()['analytes'])}测定({draw.choice(words()['methods'])})"
    else:
        name = draw.choice(words()["acts"])
    return {"name": name, "category": draw.choice("甲乙丙")}


def _consumable(draw: random.Random, makers: list[str]) -> dict[str, str]:
    return {
        "name": draw.choice(words()["consumables"]),
        "specification": draw.choice(words()["sizes"]),
        "maker": draw.choice(makers),
        "category": draw.choice("乙丙"),
    }


def held_out_words(seed: int) -> set[str]:
    """Some generics, analytes and parts, of which a list is to have nothing."""
    draw = random.Random(seed + 7)
    return {
        word
        for kind in ("drugs", "analytes", "parts")
        for word in draw.sample(words()[kind], max(2, len(words()[kind]) // 25))
    }


@dataclass(frozen=True, slots=True)
class Question:
    """What was written, the code that it is ("" where the list has it not), and how it was made."""

    written: Written
    code: str
    how: tuple[str, ...]


def questions(entries: list[Entry], count: int, seed: int, absent: list[Entry]) -> list[Question]:
    """``count`` perturbed names of ``entries``, then as many of ``absent`` as there are."""
    draw = random.Random(seed)
    chosen = draw.sample(entries, min(count, len(entries)))
    found = [_question(draw, entry, entry.code) for entry in chosen]
    return found + [_question(draw, entry, "") for entry in absent]


def _question(draw: random.Random, entry: Entry, code: str) -> Question:
    steps = draw.sample(list(_STEPS), draw.choice((0, 1, 1, 1, 2, 2)))
    name, specification, maker = entry.name, entry.specification, entry.maker
    for step in steps:
        name, specification, maker = _STEPS[step](draw, entry, name, specification, maker)
    if draw.random() < 0.5:  # bills print the specification behind the name, or apart
        name, specification = f"{name} {specification}".strip(), ""
    asked = Written(name=name, specification=specification, maker=maker)
    return Question(asked, code, tuple(steps))


Parts = tuple[str, str, str]


def _misread(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    pairs = [pair for pair in words()["confusions"] if any(c in name for c in pair)]
    if pairs and draw.random() < 0.7:
        pair = draw.choice(pairs)
        wrong = next(c for c in pair if c in name)
        return name.replace(wrong, pair.replace(wrong, "") or wrong, 1), spec, maker
    at = draw.randrange(len(name))
    return name[:at] + draw.choice(words()["everyday"][0]) + name[at + 1 :], spec, maker


def _homophone(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    places = [at for at, character in enumerate(name) if _same_sound(character)]
    if not places:
        return name, spec, maker
    at = draw.choice(places)
    return name[:at] + draw.choice(_same_sound(name[at])) + name[at + 1 :], spec, maker


@cache
def _sounds() -> dict[str, str]:
    from pypinyin import lazy_pinyin

    found: dict[str, str] = {}
    for code in range(0x4E00, 0x9FA6):
        character = chr(code)
        # Characters of the first level of GB 2312 are those that people type.
        try:
            level = character.encode("gb2312")[0]
        except UnicodeEncodeError:
            continue
        if level < 0xD8:
            sound = lazy_pinyin(character)[0]
            found[sound] = found.get(sound, "") + character
    return found


def _same_sound(character: str) -> str:
    if not "\u4e00" <= character <= "\u9fa5":
        return ""
    from pypinyin import lazy_pinyin

    return _sounds().get(lazy_pinyin(character)[0], "").replace(character, "")


def _no_maker(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    return name, spec, ""


def _reordered(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    if spec:
        return f"{spec} {name}", "", maker
    for part in words()["parts"]:
        if name.startswith(part):
            return f"{name[len(part) :]} {part}", spec, maker
    return name, spec, maker


_SHORT = (
    ("注射用", ""),
    ("一次性使用", ""),
    ("测定", ""),
    ("检查", ""),
    ("颗粒", "颗粒剂"),
    ("扫描", ""),
    ("彩色多普勒超声", "彩超"),
    ("氨基转移酶", "转氨酶"),
    ("乙型肝炎", "乙肝"),
    ("磁共振", "MR"),
    ("静脉", "静"),
)


def _abbreviated(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    for long, short in _SHORT:
        if long in name:
            return name.replace(long, short, 1), spec, maker
    return name, spec, maker


def _branded(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    if not entry.brand:
        return name, spec, maker
    named = draw.choice((entry.brand, f"{entry.brand} {name}", f"{name}({entry.brand})"))
    return named, spec, maker


def _other_unit(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    def turned(found: re.Match[str]) -> str:
        value = float(found[1])
        return f"{value / 1000:g}g" if found[2] == "mg" else f"{value * 1000:g}mg"

    return name, _STRENGTH.sub(turned, spec), maker


def _wide(draw: random.Random, entry: Entry, name: str, spec: str, maker: str) -> Parts:
    def wide(text: str) -> str:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)

    return wide(name), wide(spec.replace("*", "×")), maker


_STEPS: dict[str, Callable[[random.Random, Entry, str, str, str], Parts]] = {
    "misread": _misread,
    "homophone": _homophone,
    "no maker": _no_maker,
    "reordered": _reordered,
    "abbreviated": _abbreviated,
    "branded": _branded,
    "other unit": _other_unit,
    "full width": _wide,
}


def rows(entries: list[Entry]) -> Iterator[list[str]]:
    """A list as a CSV file has it, header first."""
    yield ["项目编码", "项目名称", "规格", "剂型", "生产厂家", "商品名", "类别"]
    for e in entries:
        yield [e.code, e.name, e.specification, e.form, e.maker, e.brand, e.category]
