"""Whether two regimens agree: one drug, and every element that the statement gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Protocol

from assistant.grounding.source import Source
from assistant.grounding.tables import rows, words
from assistant.grounding.wording import bigrams
from knowledge.text.amount import Quantity
from knowledge.text.drugs import generic_name, shipped_drug
from knowledge.text.quantity import quantities
from knowledge.text.regimen import Regimen
from knowledge.text.regimen_tokens import cue_rows


def class_rows() -> list[list[str]]:
    """The rows of the table: pattern of a class of drugs, pattern of a drug of it."""
    return rows("drug_classes.tsv")


_CLASSES = ("胰岛素",)
"""Names that a ward writes for any drug that ends with them."""


_OTHER_FORM = "左右"
"""左氧氟沙星 is not 氧氟沙星."""


@cache
def canonical(name: str) -> str:
    """One name for the wordings of a drug: 注射用头孢曲松钠 is 头孢曲松."""
    return shipped_drug(name) or shipped_drug(generic_name(name)) or generic_name(name)


def same_drug(said: str, written: str) -> bool:
    """Whether both name one drug; 肝素 is not 低分子肝素, 肾上腺素 not 去甲肾上腺素."""
    one, two = canonical(said), canonical(written)
    if one == two or said == written:
        return True
    if said in _CLASSES and written.endswith(said):
        return True
    # A stem may have caught a word before the name: that longer name is no drug of its own.
    longer, shorter = (written, said) if len(written) > len(said) else (said, written)
    return (
        longer.endswith(shorter)
        and longer[0] not in _OTHER_FORM
        and shipped_drug(longer) is None
        and len(longer) - len(shorter) < 2
    )


_PARTNER = re.compile(r"克拉维酸|舒巴坦|唑巴坦|西司他丁|氢氯噻嗪|缬沙坦氨氯|沙库巴曲")


_KIND = re.compile(r"(?:左旋|右旋|消旋|聚乙二醇化?|脂质体|白蛋白结合型)\Z")


def partner(text: str, regimen: Regimen) -> str:
    """What makes it another drug: 阿莫西林 is not 阿莫西林克拉维酸钾, nor 氨氯地平 左旋氨氯地平."""
    found = _PARTNER.search(text, regimen.drug.start, regimen.drug.end + 6)
    kind = _KIND.search(text, max(0, regimen.drug.start - 6), regimen.drug.start)
    return (kind[0] if kind else "") + (found[0] if found else "")


def elements_agree(said: Regimen, written: Regimen, source: Source) -> bool:
    """Whether every element that is said is that of the written one, and none is left out that
    changes its meaning."""
    return (
        said.stopped == written.stopped
        and _amounts_agree(said, written)
        and (not _said(said, "route") or _route(said) == _route(written) or _goes_so(said, written))
        and (not _said(said, "frequency") or _frequencies_agree(said, written))
        and _durations_agree(said, written, source)
        and _conditions_agree(said, written)
        and (written.phase != "loading" or said.phase == "loading" or not said.dose)
        and (not said.phase or said.phase == written.phase or not written.phase)
    )


def _said(regimen: Regimen, element: str) -> bool:
    return getattr(regimen, element) is not None and element not in regimen.inherited


def _route(regimen: Regimen) -> str:
    return regimen.route.value if regimen.route else ""


def _oral() -> tuple[str, ...]:
    return words("oral_drugs.txt")


def leads_an_oral_drug(text: str, end: int) -> bool:
    """Whether a drug stands behind ``end`` that is given by mouth alone."""
    name = re.match(r"[\u4e00-\u9fffA-Za-z]{2,12}", text[end:])
    return name is not None and any(word in name[0] for word in _oral() if len(word) > 1)


def _goes_so(said: Regimen, written: Regimen) -> bool:
    """Whether the way that is said is the only one, where the record has none: 口服 of a drug that
    is given by mouth alone, into a vein of one that has a rate."""
    if written.route is not None:
        return False
    if written.rate is not None:
        return _route(said).startswith("静脉")
    return _route(said) == "口服" and written.drug.name.endswith(_oral())


def _frequencies_agree(said: Regimen, written: Regimen) -> bool:
    if said.frequency is None or written.frequency is None:
        return said.frequency is None
    return said.frequency.same(written.frequency)


def _amounts_agree(said: Regimen, written: Regimen) -> bool:
    if said.rate is not None and not (written.rate and said.rate.same(written.rate)):
        return False
    if said.schedule:
        held = [(_at(time), dose) for time, dose in written.schedule]
        return all(
            any(_at(time) == at and dose.same(other) for at, other in held)
            for time, dose in said.schedule
        )
    if not _said(said, "dose") or said.dose is None:
        return said.count is None or any(said.count.same(q) for q in _amounts(written))
    if written.schedule and written.dose is None:
        return len(written.schedule) == 1 and said.dose.same(written.schedule[0][1])
    if said.count and written.count:
        # Two of 25mg are not two of 50mg.
        return said.count.same(written.count) and said.dose.same(written.dose or said.dose)
    return any(a.same(b) for a in _amounts(said) for b in _amounts(written))


def _amounts(regimen: Regimen) -> Iterator[Quantity]:
    """What one dose is: as written, in pieces, and the strength times the pieces."""
    if regimen.dose is None:
        return
    total = regimen.dose_value
    if regimen.count is None or total is None:
        yield regimen.dose
        return
    yield regimen.count
    number = replace(regimen.dose.numbers[0], written=total, power=0, scale="")
    if regimen.count.values != (Decimal(0),):
        yield replace(regimen.dose, numbers=(number,))


def _at(time: str) -> str:
    return time.replace("中午", "中").replace("上", "").replace("晨", "早")


def _durations_agree(said: Regimen, written: Regimen, source: Source) -> bool:
    """The duration must be that of the regimen, or stand behind it in the sentence."""
    if said.duration is None or "duration" in said.inherited:
        return True
    if written.duration is not None:
        return said.duration.same(written.duration)
    # 万古霉素用药14天，美罗培南用药10天: each has its own; one behind both is of both.
    end = min(
        (r.drug.start for r in source.regimens if r.drug.start > written.drug.start), default=0
    )
    lasting = [
        m.quantity
        for m in source.measured
        if m.quantity.start > written.drug.start and m.quantity.unit.converts_to(said.duration.unit)
    ]
    own = [quantity for quantity in lasting if quantity.start < end]
    return any(quantity.same(said.duration) for quantity in own or lasting)


_ANY_NEED = re.compile(r"必要|需要|按需|prn|PRN")


def _conditions_agree(said: Regimen, written: Regimen) -> bool:
    if (said.condition is None) != (written.condition is None):
        return False
    if said.condition is None or written.condition is None:
        return True
    limits = quantities(written.condition.text)
    if not all(any(q.same(other) for other in limits) for q in quantities(said.condition.text)):
        return False
    if _ANY_NEED.search(said.condition.text):
        return True
    return bool(bigrams(said.condition.text) & bigrams(written.condition.text)) or (
        said.condition.text == written.condition.text
    )


class _Part(Protocol):
    """Anything that stands somewhere."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def parts_of(said: Regimen) -> list[tuple[int, int]]:
    """Where the parts of a regimen stand."""
    doses = [dose for _, dose in said.schedule]
    found: list[_Part | None] = [said.drug, said.dose, said.count, said.rate, said.route]
    found += [said.frequency, said.duration, said.condition, *doses]
    return [(part.start, part.end) for part in found if part is not None]


@cache
def _turn() -> re.Pattern[str]:
    return re.compile("|".join(row[1] for row in cue_rows() if row[0] in ("change", "stop")))


def turns_of(text: str, said: Regimen) -> list[tuple[int, int]]:
    """Where the words stand that change or stop it, which the regimens themselves tell of."""
    return [hit.span() for hit in _turn().finditer(text, said.drug.end, said.end)]
