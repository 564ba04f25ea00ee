"""Dialogues from the curated base: complaints, what is asked for, what is considered and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assistant.training.data.line import Line, message
from assistant.training.data.questions import drawn, templates
from knowledge.clinical.entry import Entry, Weight

_COMPLAINTS, _ASKED = 2, 4
_VARIANTS = 2


def of_entries(entries: Iterable[Entry]) -> Iterator[Line]:
    """Two dialogues an entry at most: with its commonest complaints, and with its most telling."""
    known = list(entries)
    for entry in known:
        for variant in range(_VARIANTS):
            made = _dialogue(entry, variant)
            if made:
                yield Line(
                    {"messages": made},
                    entry.name,
                    {"source": "curated base", "entry": entry.name, "topic": "dialogue"},
                )


def _dialogue(entry: Entry, variant: int) -> list[dict[str, str]]:
    symptoms = _ordered(entry.symptoms, by_evoking=bool(variant))
    if len(symptoms) < _COMPLAINTS + 1 or not entry.confirm:
        return []
    wording = templates()["dialogue"]
    complaints = symptoms[:_COMPLAINTS]
    asked = [*symptoms[_COMPLAINTS : _COMPLAINTS + _ASKED], *list(entry.history)[:1]]
    first = asked[: max(1, len(asked) // 2)]
    denied = asked[len(first) :]
    onset = templates()["onset"][entry.onset[0]] if entry.onset else ""
    other = next(iter(entry.differentials.items()), None)
    parts = {
        "t": onset,
        "s": "、".join(complaints),
        "q": "、".join(asked),
        "yes": "、".join(first),
        "no": f"，没有{'、'.join(denied)}" if denied else "",
        "r": "、".join([*complaints, *first]),
        "d": entry.name,
        "o": f"也要与{other[0]}鉴别：{other[1].rstrip('。')}。" if other else "",
        "p": "、".join(entry.departments) or "相应科室",
        "c": "；".join(entry.confirm),
        "f": f"如出现{entry.red_flags.rstrip('。')}，请立即就诊。" if entry.red_flags else "",
    }
    seed = f"{entry.name}/{variant}"
    return [
        message("user", drawn(seed, wording["open"]).format(**parts)),
        message("assistant", wording["question"].format(**parts)),
        message("user", wording["reply"].format(**parts)),
        message("assistant", wording["conclude"].format(**parts)),
    ]


def _ordered(weights: Mapping[str, Weight], *, by_evoking: bool) -> list[str]:
    def weight(name: str) -> tuple[int, int]:
        found = weights[name]
        return (found.evoking, found.frequency) if by_evoking else found

    return sorted(weights, key=weight, reverse=True)
