"""A written name → the entry that it is, or why none is chosen.

Names near it are looked up and ranked by `distance`; whatever contradicts (another strength, form,
route, side, mark or maker) is never chosen; where several entries fit what was given, or the chance
of being right lies below the threshold, nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.tasks.bill_ocr.catalogue.calibration import Features, confidence, threshold
from assistant.tasks.bill_ocr.catalogue.comparison import compare, of_entry
from assistant.tasks.bill_ocr.catalogue.distance import distance, habitual, strangeness
from assistant.tasks.bill_ocr.catalogue.entry import Candidate, Entry, Match, Written
from assistant.tasks.bill_ocr.catalogue.search import MOST_ENTRIES, Catalogue, Title
from assistant.tasks.bill_ocr.catalogue.wording import Wording, read_wording, synonyms
from knowledge.text.folding import fold

NEAR = 40
"""Titles whose distance is worked out."""

FARTHEST = 6.0
BAND = 1.5
"""Titles so much farther than the nearest are no rivals."""

CONFLICT_NEAR = 1.0
LEARNED_CONFIDENCE = 0.999
_BY_SYNONYM = 0.1
_CLOSE = 0.7
_FEW = 2
_SHORT = 5
"""Characters of a name of which each tells one thing from another."""
_RARE = 0.45
"""Commonness of a character in names up to which it is taken for a misprint."""
_SHORTEST = 2
_TIED = 0.05
_EXCLUDED_RIVAL = 0.7
"""What a contradiction adds to a rival's distance: it was told apart by more than its name."""

_MESSAGES = {
    "none": "目录里没有相近的名称。(Nothing in the catalogue is near.)",
    "conflict": "名称相近，但规格、剂型、途径、部位或厂家不符，请人工核对。"
    "(The name is there, with another strength, form, route, side or maker.)",
    "ambiguous": "有多个条目相符，请补充规格或厂家。(Several entries fit; give strength or maker.)",
    "uncertain": "没有足够把握，请人工选择。(Not sure enough; please choose.)",
}


class Memory(Protocol):
    """What people have taught: the code that a wording was given, and names that are others."""

    def code(self, key: str) -> str | None:
        """The code that this very wording (`memory_key`) was given last."""

    def names(self, core: str) -> Sequence[str]:
        """Listed names that ``core`` was corrected to."""


class Nothing:
    """A memory of nothing."""

    def code(self, key: str) -> str | None:
        """None."""
        return None

    def names(self, core: str) -> Sequence[str]:
        """None."""
        return ()


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class _Scored:
    title: Title
    entry: Entry
    distance: float
    agrees: list[str]
    conflicts: list[str]
    written: Wording


def memory_key(wording: Wording) -> str:
    """One spelling of everything that was written."""
    pack = wording.specification.pack
    return "|".join(
        (wording.full, wording.specification.key(), str(pack), "+".join(sorted(wording.marks)))
    )


def match(catalogue: Catalogue, written: Written, memory: Memory = NOTHING) -> Match:
    """The entry that ``written`` is, or an abstention with its reason and the nearest entries."""
    wording = read_wording(written, catalogue.makers)
    if not wording.full:
        return _abstained("none", [])
    known = _learned(catalogue, wording, memory)
    if known is not None:
        return known
    scored = _scored(catalogue, wording, memory)
    return _decided(catalogue, scored)


def features_of(catalogue: Catalogue, written: Written) -> tuple[Entry, Features] | None:
    """What would be chosen and what is known of it, threshold aside; None for an abstention for
    another reason.  For calibration."""
    wording = read_wording(written, catalogue.makers)
    scored = _scored(catalogue, wording, NOTHING)
    chosen = _chosen(scored)
    if isinstance(chosen, str):
        return None
    return chosen.entry, _features(catalogue, chosen, scored)


def _learned(catalogue: Catalogue, wording: Wording, memory: Memory) -> Match | None:
    code = memory.code(memory_key(wording))
    entries = catalogue.by_code(code) if code else []
    if len(entries) != 1:
        return None
    agrees, conflicts = compare(wording, of_entry(entries[0]))
    if conflicts:  # what people taught cannot make another strength of it
        return None
    candidate = Candidate(entry=entries[0], distance=0.0, agrees=agrees)
    return Match(
        status="matched",
        source="learned",
        entry=entries[0],
        confidence=LEARNED_CONFIDENCE,
        candidates=[candidate],
    )


def _scored(catalogue: Catalogue, wording: Wording, memory: Memory) -> list[_Scored]:
    ranked = _titles(catalogue, wording, memory)
    if not ranked:
        return []
    limit = min(FARTHEST, ranked[0][0] + BAND)
    found: dict[str, _Scored] = {}
    for near, title, variant in ranked:
        if near > limit:
            break
        # Of another form nothing is chosen, and of a farther name only that it is there counts.
        written = with_form_of(wording, title)
        other = bool(written.form and title.form and written.form != title.form)
        most = _FEW if other or near > ranked[0][0] + _CLOSE else MOST_ENTRIES
        for _, entry, listed in catalogue.entries(title, wording, most):
            agrees, conflicts = compare(written, listed)
            made = _Scored(title, entry, near, agrees, conflicts, variant)
            kept = found.get(entry.code)
            if kept is None or (bool(kept.conflicts), kept.distance) > (bool(conflicts), near):
                found[entry.code] = made
    return sorted(
        found.values(), key=lambda s: (bool(s.conflicts), s.distance, -len(s.agrees), s.entry.code)
    )


def _titles(
    catalogue: Catalogue, wording: Wording, memory: Memory
) -> list[tuple[float, Title, Wording]]:
    """Titles with their distance, nearest first, and the variant that is so near."""
    best: dict[int, tuple[float, Title, Wording]] = {}
    for variant, cost in _variants(wording, memory):
        titles = {title.id: title for title in catalogue.near(variant.full, NEAR)}
        titles |= {title.id: title for title in catalogue.exact(variant.core)}
        for title in titles.values():
            found = cost + _title_distance(variant, title)
            if title.id not in best or found < best[title.id][0]:
                best[title.id] = (found, title, variant)
    return sorted(best.values(), key=lambda row: (row[0], row[1].id))


def with_form_of(wording: Wording, title: Title) -> Wording:
    """The wording with the form of ``title`` where its own is that form misread: of 缓释片 with
    one character wrong only 片 is left."""
    mine, theirs = wording.form, title.form
    if not mine or mine == theirs or len(theirs) <= len(mine) or not theirs.endswith(mine):
        return wording
    if len(wording.full) != len(title.full) or len(title.core) >= len(wording.core):
        return wording
    place = len(title.core)
    wrong = sum(a != b for a, b in zip(wording.full[place:], title.full[place:], strict=True))
    if wrong != 1 or distance(wording.full, title.full) >= distance(wording.core, title.core):
        return wording
    return replace(wording, form=theirs, route=wording.route)


def _title_distance(wording: Wording, title: Title) -> float:
    found = min(distance(wording.core, title.core), distance(wording.full, title.full))
    if not wording.form and title.core != title.full:
        # A form that print has spoiled is read as a part of the name.
        found = min(found, distance(wording.core, title.full))
    return found


def _variants(wording: Wording, memory: Memory) -> list[tuple[Wording, float]]:
    """The wording, and the same with a common or a learned name replaced."""
    found = [(wording, 0.0)]
    for common, listed in synonyms():
        if common in wording.core and listed not in wording.core:
            core = wording.core.replace(common, listed, 1)
            found.append((_renamed(wording, core), _BY_SYNONYM))
            break
    found += [(_renamed(wording, name), _BY_SYNONYM) for name in memory.names(wording.core)]
    return found


def _renamed(wording: Wording, core: str) -> Wording:
    again = read_wording(Written(name=core))
    form = wording.form or again.form
    full = wording.full.replace(wording.core, again.core, 1) if wording.form else again.full
    return Wording(
        core=again.core,
        full=full,
        form=form,
        route=wording.route or again.route,
        specification=wording.specification,
        marks=wording.marks,
        sizes=wording.sizes,
        sides=wording.sides,
        maker=wording.maker,
        maker_full=wording.maker_full,
    )


def _chosen(scored: Sequence[_Scored]) -> _Scored | str:
    """The entry that fits best, or the reason why there is none."""
    fitting = [one for one in scored if not one.conflicts]
    against = min((one.distance for one in scored if one.conflicts), default=FARTHEST + 1)
    if not fitting:
        return "conflict" if against <= CONFLICT_NEAR else "none"
    best = fitting[0]
    if against + _TIED < best.distance:
        return "conflict" if against <= CONFLICT_NEAR else "uncertain"
    tied = [one for one in fitting if one.distance <= best.distance + _TIED]
    most = max(len(one.agrees) for one in tied)
    tied = [one for one in tied if len(one.agrees) == most]
    if len(tied) > 1:
        # 同仁堂制药 and 同仁堂制药集团 are alike; whose name is written out in full is meant.
        tied = [one for one in tied if _names_maker(one)]
    return tied[0] if len(tied) == 1 else "ambiguous"


def _names_maker(one: _Scored) -> bool:
    maker = one.written.maker_full
    return bool(maker) and fold(one.entry.maker).replace(" ", "") == maker


def _features(catalogue: Catalogue, chosen: _Scored, scored: Sequence[_Scored]) -> Features:
    rivals = (
        one.distance + (_EXCLUDED_RIVAL if one.conflicts else 0.0)
        for one in scored
        if one.title.core != chosen.title.core
    )
    margin = min(rivals, default=chosen.distance + BAND) - chosen.distance
    wording = chosen.written
    pairs = ((wording.core, chosen.title.core), (wording.full, chosen.title.full))
    nearer = min(pairs, key=lambda pair: distance(*pair))
    strange = strangeness(*nearer)
    return Features(
        distance=chosen.distance,
        margin=max(margin, 0.0),
        agreed=frozenset(chosen.agrees),
        strange=strange,
        common=sum(catalogue.commonness(around[1]) for around in strange.instead),
        joined=sum(
            max(catalogue.commonness(around[:2]), catalogue.commonness(around[1:]))
            for around in strange.instead
        ),
        length=len(wording.core),
        bare_length=len(wording.core) - len(habitual(wording.core)),
        exact=wording.full == chosen.title.full,
    )


def _another_thing(features: Features) -> bool:
    """Whether a short name may well be that of something that the list has not: 阿洛西林 beside
    阿莫西林, whatever else is near."""
    strange = features.strange
    if features.bare_length > _SHORT:
        return False
    other_head = strange.head and strange.left_out + strange.put_in > 0
    # A character that hardly any name has is a misprint rather than another name's; a rare pair
    # is not (头孢克洛 beside 头孢克肟), and of two characters one says too little.
    rare = features.common <= _RARE * strange.replaced and features.bare_length > _SHORTEST
    another = strange.replaced > 0 and not rare
    return other_head or (another and features.bare_length < _SHORT)


def _decided(catalogue: Catalogue, scored: Sequence[_Scored]) -> Match:
    candidates = [
        Candidate(
            entry=one.entry,
            distance=round(one.distance, 2),
            agrees=sorted(set(one.agrees)),
            conflicts=one.conflicts,
        )
        for one in scored[:5]
    ]
    chosen = _chosen(scored)
    if isinstance(chosen, str):
        return _abstained(chosen, candidates)
    features = _features(catalogue, chosen, scored)
    sure = confidence(features)
    if sure < threshold() or _another_thing(features):
        return _abstained("uncertain", candidates, sure)
    return Match(
        status="matched",
        source="catalogue",
        entry=chosen.entry,
        confidence=round(sure, 4),
        candidates=candidates,
    )


def _abstained(reason: str, candidates: list[Candidate], sure: float = 0.0) -> Match:
    return Match.model_validate(
        {
            "status": "abstained",
            "reason": reason,
            "message": _MESSAGES[reason],
            "confidence": round(sure, 4),
            "candidates": candidates,
        }
    )
