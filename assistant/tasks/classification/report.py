"""The sentence on an image's class, with the region that it rests on as its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.draft import Statement
from assistant.record.evidence import Evidence
from assistant.tasks.classification.draft import Likelihood, Place

_OTHERS = 2
_SURE = 0.5


def called(one: Likelihood) -> str:
    """Its Chinese name where it has one."""
    return one.name_zh or one.name


def sentences(
    classes: Sequence[Likelihood], place: Place | None, network: str, *, exclusive: bool
) -> list[str]:
    """What is likeliest with its probability, the next ones, and where it was seen."""
    first = classes[0]
    likely = [first] if exclusive else [one for one in classes if one.probability >= _SURE]
    if not likely:
        sentence = f"模型 {network} 未见概率达到 50% 的类别，最高为{_share(first)}"
    else:
        sentence = f"模型 {network} 判为" + "、".join(_share(one) for one in likely)
        if exclusive and first.probability < _SURE:
            sentence += "（概率不足 50%，把握不大）"
    others = [one for one in classes if one not in likely and one is not first][:_OTHERS]
    if exclusive and others:
        sentence += "；其次为" + "、".join(_share(one) for one in others)
    found = [sentence + "。"]
    if place is not None:
        found.append(
            f"“{called(first)}”的依据主要在第 {place.peak[0] + 1} 层，"
            f"行 {place.low[1]}–{place.high[1]}、列 {place.low[2]}–{place.high[2]}（遮挡法）。"
        )
    return found


def report(said: Sequence[str], evidence: Evidence | None) -> list[Statement]:
    """What the model says is supported by a region, or by nothing where none was found."""
    return [
        Statement(
            id=f"c{number}",
            text=text,
            status="supported" if evidence is not None else "unsupported",
            evidence=[evidence] if evidence is not None else [],
        )
        for number, text in enumerate(said, start=1)
    ]


def _share(one: Likelihood) -> str:
    return f"{called(one)}（概率 {one.probability:.0%}）"
