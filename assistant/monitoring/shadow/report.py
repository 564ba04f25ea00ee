"""What a candidate was like beside the model in use, over all that it answered."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from assistant.store import Store
from assistant.store.shadow_answers import ShadowAnswer

Z_95 = 1.959963984540054


@dataclass(slots=True)
class Report:
    """One candidate and task.

    ``real`` and ``candidate`` are sums over the sections that both wrote.  ``preferred``: how often
    blind reviewers took the candidate's, the real one's, or neither; ``win_interval`` is of the
    candidate's share of those that took one.
    """

    task: str
    engine: str
    model: str
    fingerprint: str
    since: datetime
    until: datetime
    answered: int = 0
    failed: int = 0
    waiting: int = 0
    sections: int = 0
    only_real: int = 0
    only_candidate: int = 0
    real: dict[str, int] = field(default_factory=dict)
    candidate: dict[str, int] = field(default_factory=dict)
    quantities: dict[str, int] = field(default_factory=dict)
    diagnoses: dict[str, int] = field(default_factory=dict)
    preferred: dict[str, int] = field(default_factory=dict)
    win_interval: tuple[float, float] | None = None


def wilson(successes: int, total: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson, J. Am. Stat. Assoc. 22, 1927); None of nothing."""
    if not total:
        return None
    share, z2 = successes / total, Z_95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = share * (1 - share) / total + z2 / (4 * total**2)
    half = Z_95 * math.sqrt(spread) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def reports(store: Store) -> list[Report]:
    """Each candidate and task, who answered last first."""
    grouped: dict[tuple[str, str, str, str], list[ShadowAnswer]] = defaultdict(list)
    for answer in store.shadow.list():
        key = answer.kind, answer.engine, answer.model, answer.fingerprint
        grouped[key].append(answer)
    preferred: dict[str, list[str]] = defaultdict(list)
    for answer_id, _, choice in store.shadow.reviews():
        preferred[answer_id].append(choice)
    found = [_report(answers, preferred) for answers in grouped.values()]
    return sorted(found, key=lambda report: report.until, reverse=True)


def _report(answers: Sequence[ShadowAnswer], preferred: dict[str, list[str]]) -> Report:
    last = answers[0]
    made = Report(
        last.kind,
        last.engine,
        last.model,
        last.fingerprint,
        since=min(answer.created_at for answer in answers),
        until=max(answer.ended_at or answer.created_at for answer in answers),
    )
    states = Counter(answer.status for answer in answers)
    made.answered, made.failed, made.waiting = (
        states["done"],
        states["failed"],
        states["waiting"],
    )
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    choices: Counter[str] = Counter()
    for answer in answers:
        choices.update(preferred.get(answer.id, ()))
        made.only_real += len(answer.differences.get("only_real", ()))
        made.only_candidate += len(answer.differences.get("only_candidate", ()))
        for pair in answer.differences.get("sections", {}).values():
            made.sections += 1
            _add(sums, pair)
    made.real, made.candidate = dict(sums["real"]), dict(sums["candidate"])
    made.quantities, made.diagnoses = dict(sums["quantities"]), dict(sums["diagnoses"])
    made.preferred = {name: choices[name] for name in ("candidate", "real", "same")}
    made.win_interval = wilson(choices["candidate"], choices["candidate"] + choices["real"])
    return made


def _add(sums: dict[str, Counter[str]], pair: dict[str, Any]) -> None:
    for part, counts in pair.items():
        sums[part].update({name: int(count) for name, count in counts.items()})
