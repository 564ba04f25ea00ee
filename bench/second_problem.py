"""How often the second problem of a patient with two diseases is proposed, and rightly.

    python -m bench.second_problem --base HOME/knowledge --cases FILE

Pairs of cases, each of which the ranking puts first when it stands alone (probability above
one half), are told as one patient's; and each case alone, where what is proposed is a false alarm.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.tasks.differential.case_context import read_evidence
from eval.clinical.differential.cases import DiagnosisCase, read_cases
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.names import Names
from knowledge.base import KnowledgeBase
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence

SURE = 0.5
SHOWN = 5


@dataclass(frozen=True)
class Read:
    """A case, what it says, and the entry that is ranked first."""

    case: DiagnosisCase
    evidence: CaseEvidence
    first: Entry


def sure_cases(path: Path, base: KnowledgeBase, names: Names) -> tuple[list[Read], int, int]:
    """The cases of which the first is right and sure; of all: how many, how many with a second."""
    found: list[Read] = []
    count = seconds = 0
    for case in read_cases(path, ""):
        _, evidence = read_evidence(masked_case(case.case, names.giving_away(case)), base)
        differential = base.clinical.differential(evidence)
        candidates = differential.candidates(1)
        if not candidates:
            continue
        count += 1
        right = names.match(candidates[0].entry.name, case) is not None
        seconds += right and differential.second_problem() is not None
        if right and candidates[0].share > SURE:
            found.append(Read(case, evidence, candidates[0].entry))
    return found, count, seconds


def both(one: CaseEvidence, other: CaseEvidence) -> CaseEvidence:
    """Two cases as one patient's, without age, sex and onset, which may not fit together."""
    return replace(
        one,
        present={**one.present, **other.present},
        absent={},
        spans={**other.spans, **one.spans},
        onset=frozenset(),
        sex=None,
        age_years=None,
    )


def tell(pairs: Sequence[tuple[Read, Read]], base: KnowledgeBase, names: Names) -> dict[str, int]:
    """Of pairs: first is one of the two, a second is proposed, it is the other, both in the
    first five."""
    counts = {"pairs": 0, "first is one": 0, "proposed": 0, "right": 0, "both in first five": 0}
    for one, other in pairs:
        if one.first.is_related(other.first):
            continue
        differential = base.clinical.differential(both(one.evidence, other.evidence))
        ranked = [c.entry.name for c in differential.candidates(SHOWN)]
        hits = [[bool(names.match(n, read.case)) for n in ranked] for read in (one, other)]
        counts["pairs"] += 1
        counts["both in first five"] += all(any(hit) for hit in hits)
        if not (hits[0][0] or hits[1][0]):
            continue
        counts["first is one"] += 1
        second = differential.second_problem()
        if second is not None:
            counts["proposed"] += 1
            wanted = other if hits[0][0] else one
            counts["right"] += bool(names.match(second.entry.name, wanted.case))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the knowledge base")
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    base = KnowledgeBase.open(given.base)
    names = Names(base)
    sure, count, seconds = sure_cases(given.cases, base, names)
    chosen = random.Random(given.seed)
    pairs = [(a, b) for a, b in (chosen.sample(sure, 2) for _ in range(given.pairs))]
    alone = {"cases alone": count, "first right and a second proposed": seconds}
    print(json.dumps({**alone, **tell(pairs, base, names)}))


if __name__ == "__main__":
    main()
