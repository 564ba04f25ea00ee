"""Ranking of the curated entries.

The score of disease *d* is linear in a few features, each a sum over what the case says::

    listed     Σ_present  log( P(f|d) / q_f )     P from the entry's frequency, q_f the rate of f
                                                  over all entries by how common they are, with leak
    evoking    how many findings of evoking strength 1 … 5 are present
    unlisted   Σ present findings that d does not explain, by how telling they are
    absent     Σ_absent   log( (1 - P(f|d)) / (1 - q_f) )
    unmentioned, prior, age, sex, onset, settled combinations, findings against

the scheme of INTERNIST-1 (Miller et al. 1982) with the probabilities of QMR-DT (Shwe et al. 1991).
The weights are learned (`weights.json`, `bench.differential_weights`) as a conditional logit, so
that the softmax of the scores is the probability.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.clinical.combinations import Combinations
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence
from knowledge.clinical.kinds import Kinds
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.text.finding import Span

Floats = npt.NDArray[np.float32]

FREQUENCY: Final = (0.0, 0.04, 0.2, 0.5, 0.8, 0.97)
"""P(f|d) of frequency 1 … 5."""
OFTEN: Final = 0.7
"""P(f|d) from which on it counts that a finding is not mentioned."""
CHILD: Final = 14
LIFE: Final = 80.0
"""Years over which a disease of every age is spread."""
LEAK: Final = 0.004
"""P(f|d) of a finding that the entry does not list."""
AGES: Final = (("新生儿", 28 / 365), ("婴幼儿", 3.0))
"""Findings that are an age, and the years that they end at."""
BROADER: Final = 0.5
"""How much less the most telling finding says for an entry that lists only a broader one."""
STRONG: Final = 4
"""Evoking strength from which on a broader finding's own strength counts for nothing."""
FEATURES: Final = (
    "prior", "listed clinical", "listed tests", "listed history", "evoking 1", "evoking 2",
    "evoking 3", "evoking 4", "evoking 5", "unlisted clinical", "unlisted tests",
    "unlisted history", "absent", "unmentioned clinical", "unmentioned tests", "age usual",
    "age unusual", "age impossible", "sex unusual", "sex impossible", "onset other", "settled",
    "against", "child's", "general",
)  # fmt: skip
_AT: Final = {name: column for column, name in enumerate(FEATURES)}
_KINDS: Final = ("clinical", "tests", "history")
"""The groups of findings, by number."""
LEAST_GAIN: Final = 0.05
"""A finding never speaks against the entry that lists it."""
_GROUPS = {
    "symptom": 0, "sign": 0, "course": 0, "history": 2, "exposure": 2,
}  # fmt: skip
"""Clinical, tests (all else), history."""


class ClinicalRanking:
    """The entries as arrays.  Safe to use from several threads."""

    def __init__(self, entries: Sequence[Entry], known: Vocabulary) -> None:
        self.entries = tuple(entries)
        self._known = known
        names = sorted({f for entry in entries for f in entry.used_findings()})
        above = {a for name in names for a in known.ancestors(name)}
        self.concepts = tuple(sorted({*names, *above}))
        self._numbers = {name: number for number, name in enumerate(self.concepts)}
        shape = (len(self.entries), len(self.concepts))
        self._rate = np.zeros(shape, np.float32, order="F")
        self._evoking = np.zeros(shape, np.int8, order="F")
        for row, entry in enumerate(self.entries):
            for name, weight in entry.findings.items():
                column = self._numbers[name]
                self._rate[row, column] = FREQUENCY[weight.frequency]
                self._evoking[row, column] = weight.evoking
                for ancestor in known.ancestors(name):
                    at = self._numbers[ancestor]
                    self._rate[row, at] = max(self._rate[row, at], FREQUENCY[weight.frequency])
        self._own = np.zeros(shape, bool)
        for row, entry in enumerate(self.entries):
            self._own[row, [self._numbers[name] for name in entry.findings]] = True
        frequent = np.where(self._own & (self._rate > OFTEN), self._rate, 0)
        # By columns: of few findings anything is said.
        self._frequent: Floats = np.asfortranarray(frequent, np.float32)
        self._settled = Combinations(entry.settles for entry in self.entries)
        self._alarms = Combinations(entry.alarms for entry in self.entries)
        self._against: dict[str, list[int]] = defaultdict(list)
        for row, entry in enumerate(self.entries):
            for name in entry.against:
                self._against[name].append(row)
        self._prior: Floats = np.array(
            [0.5 * np.log(10) * (entry.common - 3) for entry in self.entries], np.float32
        )
        share = np.exp(self._prior)
        share /= share.sum()
        self._background: Floats = (share @ np.maximum(self._rate, LEAK)).astype(np.float32)
        self._groups = np.array(
            [_GROUPS.get(known.kind(name) or "", 1) for name in self.concepts], np.int8
        )
        self._expected = [self._frequent[:, self._groups == g].sum(axis=1) for g in (0, 1)]
        telling = self._evoking.max(axis=0, initial=0)
        self._telling: Floats = (0.3 + 0.7 * telling / 5).astype(np.float32)
        self._paediatric = np.array(
            [any("儿" in name for name in entry.departments) for entry in self.entries]
        )
        self._general = np.array([entry.general for entry in self.entries], np.float32)
        self.kinds = Kinds(self.entries)
        self._ages = np.array([entry.age for entry in self.entries], np.float32).reshape(-1, 4)

    def specific(self, present: Iterable[str]) -> list[str]:
        """Findings without those that a narrower one among them says already."""
        names = list(present)
        said = {a for name in names for a in self._known.ancestors(name)}
        return [name for name in names if name not in said]

    def says(self, name: str, wanted: Collection[str]) -> bool:
        """Whether a finding is one of ``wanted``, or a kind of one."""
        return any(one in wanted for one in (name, *self._known.ancestors(name)))

    def columns(self, names: Iterable[str]) -> set[int]:
        """The columns of findings."""
        return {self._numbers[name] for name in names if name in self._numbers}

    def number(self, concept: str) -> int | None:
        """The column of a finding, or of the nearest broader one that some entry uses."""
        for name in (concept, *self._known.ancestors(concept)):
            if name in self._numbers:
                return self._numbers[name]
        return None

    def rate(self, row: int, concept: str) -> float:
        """How often entry ``row`` shows a finding; 0 when it does not list it."""
        column = self._numbers.get(concept)
        return 0.0 if column is None else float(self._rate[row, column])

    def background(self, concept: str) -> float:
        """How often patients show a finding, by all entries and how common they are."""
        column = self._numbers.get(concept)
        return LEAK if column is None else float(self._background[column])

    def rates(self, rows: npt.NDArray[np.int64]) -> Floats:
        """P(f|d) of all findings in ``rows``: what is not listed has the rate of all entries."""
        return np.asarray(np.where(self._rate[rows] > 0, self._rate[rows], self._background))

    def is_test(self, column: int) -> bool:
        """Whether a finding is the result of a test."""
        return bool(self._groups[column] == 1)

    def mentioned(self, case: CaseEvidence) -> set[int]:
        """The columns of what the case says, for or against, or says more closely."""
        return self.columns((*self._has(case), *case.absent))

    def _has(self, case: CaseEvidence) -> set[str]:
        """The present findings and what they are kinds of."""
        return {a for name in case.present for a in (name, *self._known.ancestors(name))}

    def listed(self, row: int, concept: str) -> tuple[str | None, float]:
        """As what entry ``row`` lists a finding (itself or broader), and how much that says."""
        best: tuple[str | None, float] = (None, 0.0)
        for name in (concept, *self._known.ancestors(concept)):
            column = self._numbers.get(name)
            if column is None or not self._rate[row, column]:
                continue
            gain = float(_log_gain(self._rate[row, column], self._background[column]))
            if best[0] is None or gain > best[1]:
                best = (name, gain)
        return best

    def features(self, case: CaseEvidence) -> Floats:
        """``[entries, len(FEATURES)]``."""
        out = np.zeros((len(self.entries), len(FEATURES)), np.float32)
        out[:, _AT["prior"]] = self._prior
        out[:, _AT["general"]] = self._general
        for names in self._mentions(case):
            self._add_mention(out, case, names)
        for name, sure in case.absent.items():
            column = self._numbers.get(name)
            if column is None:
                continue
            rate = np.minimum(self._rate[:, column], 0.97)
            rest = 1 - min(0.97, self._background[column])
            out[:, _AT["absent"]] += sure * np.log((1 - rate) / rest)
        self._unmentioned(out, self.mentioned(case))
        self._demographics(out, case)
        self._combinations(out, case)
        return out

    def _add_mention(self, out: Floats, case: CaseEvidence, names: Sequence[str]) -> None:
        """Add what one mention says: of several findings in the same words, for each entry the
        one that speaks for it most."""
        best = np.zeros(len(self.entries), np.float32)
        strength = np.zeros(len(self.entries), np.int8)
        chosen = np.zeros(len(self.entries), np.int8)
        telling, default = 0.0, 0
        for name in names:
            column = self.number(name)
            if column is None:
                continue
            sure = case.present[name]
            gain, strong = self._gain(name)
            group = int(self._groups[column])
            better = gain * sure > best
            best = np.where(better, gain * sure, best)
            chosen = np.where(better, group, chosen)
            strength = np.where(gain > 0, np.maximum(strength, strong), strength)
            if self._telling[column] * sure > telling:
                telling, default = float(self._telling[column] * sure), group
        if not telling:
            return
        for group, kind in enumerate(_KINDS):
            out[:, _AT[f"listed {kind}"]] += np.where((best > 0) & (chosen == group), best, 0)
        out[:, _AT[f"unlisted {_KINDS[default]}"]] += np.where(best > 0, 0, telling)
        for level in range(1, 6):
            out[:, _AT[f"evoking {level}"]] += (strength == level) & (best > 0)

    def _mentions(self, case: CaseEvidence) -> list[list[str]]:
        """The present findings, those of overlapping words together, without those that a
        narrower one says already."""
        names = self.specific(case.present)
        placed = [(n, case.spans[n].span) for n in names if n in case.spans]
        groups: list[tuple[list[str], list[Span]]] = []
        for name, span in sorted(placed, key=lambda pair: (pair[1].note_id, pair[1].start)):
            if groups and any(span.overlaps(other) for other in groups[-1][1]):
                groups[-1][0].append(name)
                groups[-1][1].append(span)
            else:
                groups.append(([name], [span]))
        alone = [[name] for name in names if name not in case.spans]
        return [*(group for group, _ in groups), *alone]

    def _gain(self, name: str) -> tuple[Floats, npt.NDArray[np.int8]]:
        """What a finding, or what it is a kind of, speaks for each entry, and how strongly.

        An entry that lists only the broader finding would list a telling kind of it if it had
        that: rice-water stools are no grounds for a gastroenteritis as good as a diarrhoea is.
        """
        own = self._numbers.get(name)
        telling = 0 if own is None else int(self._evoking[:, own].max())
        broader = 1 - BROADER * max(0, telling - 2) / 3
        gain = np.full(len(self.entries), -np.inf, np.float32)
        strength = np.zeros(len(self.entries), np.int8)
        for other in (name, *self._known.ancestors(name)):
            at = self._numbers.get(other)
            if at is None:
                continue
            rate = self._rate[:, at]
            counts = 1.0 if other == name else broader
            value = np.where(rate > 0, counts * _log_gain(rate, self._background[at]), -np.inf)
            gain = np.where(value > gain, value, gain)
            if other == name or telling < STRONG:
                strength = np.maximum(strength, self._evoking[:, at])
        return gain, strength

    def _unmentioned(self, out: Floats, mentioned: set[int]) -> None:
        """Frequent findings of which nothing is said."""
        for group, expected in enumerate(self._expected):
            said = sorted(column for column in mentioned if self._groups[column] == group)
            column = _AT[f"unmentioned {_KINDS[group]}"]
            out[:, column] = expected - self._frequent[:, said].sum(axis=1)

    def _demographics(self, out: Floats, case: CaseEvidence) -> None:
        if case.age_years is not None:
            age = case.age_years
            low, high, usual_low, usual_high = self._ages.T
            impossible = (age < low * 0.9 - 0.05) | (age > high + 1)
            unusual = ~impossible & ((age < usual_low - 0.05) | (age > usual_high + 1))
            # A disease of a few years of life is that much commoner in them.
            width = np.clip(usual_high - usual_low, 1, LIFE)
            out[:, _AT["age usual"]] = np.where(impossible | unusual, 0, np.log(LIFE / width))
            out[:, _AT["age unusual"]] = unusual
            out[:, _AT["age impossible"]] = impossible
            out[:, _AT["child's"]] = self._paediatric & (age < CHILD)
        if case.sex is not None:
            other = "female" if case.sex == "male" else "male"
            out[:, _AT["sex unusual"]] = [entry.sex == f"mostly {other}" for entry in self.entries]
            out[:, _AT["sex impossible"]] = [entry.sex == other for entry in self.entries]
        if case.onset:
            out[:, _AT["onset other"]] = [
                bool(entry.onset) and not case.onset & set(entry.onset) for entry in self.entries
            ]

    def _combinations(self, out: Floats, case: CaseEvidence) -> None:
        has = self._has(case)
        for row, _ in self._settled.complete(has):
            out[row, _AT["settled"]] = 1
        for name in has:
            for row in self._against.get(name, ()):
                out[row, _AT["against"]] += 1

    def alarmed(self, case: CaseEvidence) -> dict[int, frozenset[str]]:
        """Rows of entries that the case calls for excluding, and the findings that do, the most
        of them; none that age or sex makes impossible."""
        has = self._has(case) | _of_age(case.age_years)
        found: dict[int, frozenset[str]] = {}
        for row, combination in self._alarms.complete(has):
            if self._possible(row, case):
                found[row] = max(found.get(row, combination), combination, key=len)
        return found

    def _possible(self, row: int, case: CaseEvidence) -> bool:
        entry, age = self.entries[row], case.age_years
        other = {"male": "female", "female": "male"}.get(case.sex or "")
        old_enough = age is None or entry.age[0] * 0.9 - 0.05 <= age <= entry.age[1] + 1
        return old_enough and entry.sex != other

    def scores(self, case: CaseEvidence, weights: Floats | None = None) -> Floats:
        """The log score of every entry."""
        chosen = learned_weights() if weights is None else weights
        return self.kinds.shared(np.asarray(self.features(case) @ chosen, np.float32))


def _of_age(age_years: float | None) -> set[str]:
    """The findings that an age is, where the form tells it and the text does not."""
    return {name for name, below in AGES if age_years is not None and age_years < below}


def _log_gain(rate: Floats, background: Floats) -> Floats:
    """What a finding of this rate says for an entry, a number or an array of them."""
    gain = np.log(np.maximum(rate, LEAK) / background)
    return np.asarray(np.maximum(gain, LEAST_GAIN), np.float32)


@lru_cache(maxsize=1)
def learned_weights() -> Floats:
    """The weights that ship, in the order of `FEATURES`."""
    text = (files("knowledge.clinical") / "weights.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return np.array([table[name] for name in FEATURES], np.float32)
