"""How a candidate's drafts differ from those in use: counts and names, no text of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.draft import Draft, Statement
from knowledge.text.quantity import quantities

TOP = 5


def model_drafts(drafts: Sequence[Draft]) -> dict[str, Draft]:
    """Section → the first draft of it that a model wrote; a ranking of the knowledge is none."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        if draft.model:
            found.setdefault(draft.place()[1], draft)
    return found


def differences(real: Sequence[Draft], candidate: Sequence[Draft]) -> dict[str, Any]:
    """Section → how the two differ; sections that only one of them has are named apart."""
    ours, theirs = model_drafts(real), model_drafts(candidate)
    return {
        "sections": {name: _pair(ours[name], theirs[name]) for name in ours if name in theirs},
        "only_real": sorted(ours.keys() - theirs.keys()),
        "only_candidate": sorted(theirs.keys() - ours.keys()),
    }


def _pair(real: Draft, candidate: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {
        "real": _counts(real),
        "candidate": _counts(candidate),
        "quantities": _quantities(real.plain_text(), candidate.plain_text()),
    }
    names, other = _diagnoses(real), _diagnoses(candidate)
    if names is not None and other is not None:
        found["diagnoses"] = _order(names, other)
    return found


def _counts(draft: Draft) -> dict[str, int]:
    inserted = draft.inserted()
    written = [s for s in draft.all_statements() if s.id not in inserted]
    return {
        "statements": len(written),
        "supported": sum(s.status == "supported" for s in written),
        "unsupported": sum(s.status == "unsupported" for s in written),
        "dose_problems": sum(_is_of_dose(s) for s in written),
        "omissions": len(inserted),
        "length": len(draft.plain_text()),
    }


def _is_of_dose(statement: Statement) -> bool:
    return any(problem.kind in ("drug", "dose", "unit") for problem in statement.problems)


def _quantities(real: str, candidate: str) -> dict[str, int]:
    """Numbers with their units, as doses are, that both say or only one does."""
    ours, theirs = _amounts(real), _amounts(candidate)
    return {
        "both": len(ours & theirs),
        "only_real": len(ours - theirs),
        "only_candidate": len(theirs - ours),
    }


def _amounts(text: str) -> set[str]:
    return {f"{quantity.value_text} {quantity.unit_text}" for quantity in quantities(text)}


def _diagnoses(draft: Draft) -> list[str] | None:
    entries = getattr(draft, "diagnoses", None)
    return None if entries is None else [entry.name for entry in entries]


def _order(real: Sequence[str], candidate: Sequence[str]) -> dict[str, Any]:
    """``discordant``: pairs that both name and that stand in another order, of ``pairs``."""
    shared = [name for name in real if name in candidate]
    pairs = [(a, b) for n, a in enumerate(shared) for b in shared[n + 1 :]]
    place = {name: n for n, name in enumerate(candidate)}
    return {
        "same_first": bool(real and candidate and real[0] == candidate[0]),
        "shared": len(set(real[:TOP]) & set(candidate[:TOP])),
        "pairs": len(pairs),
        "discordant": sum(place[a] > place[b] for a, b in pairs),
    }
