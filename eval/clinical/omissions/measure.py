"""What the check finds of the dropped facts: recall and precision by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from assistant.course.event import KIND_ZH
from assistant.tasks.omissions.draft import Omission
from assistant.tasks.omissions.run import checked
from eval.clinical.checker.elsewhere import plain
from eval.clinical.omissions.trials import Trial
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest

MOST_CASES = 300
SCORES = ("recall", "precision", "least_recall", "least_precision")


@dataclass(frozen=True)
class Verdict:
    """A trial and the omissions that were named."""

    trial: Trial
    named: tuple[Omission, ...]

    def hits(self) -> list[bool]:
        """For each dropped fact whether an omission tells it."""
        return [any(fact.is_in(_text(o)) for o in self.named) for fact in self.trial.dropped]

    def false(self) -> list[Omission]:
        """Omissions that are of nothing that was taken away."""
        return [o for o in self.named if not self._is_right(o)]

    def _is_right(self, omission: Omission) -> bool:
        text = _text(omission)
        if any(fact.is_in(text) for fact in self.trial.dropped):
            return True
        quotes = [plain(e.quote) for e in omission.evidence]
        return any(
            plain(gone) in plain(text) or any(q in plain(gone) for q in quotes)
            for gone in self.trial.removed
        )


def _text(omission: Omission) -> str:
    return omission.text + "\n" + "\n".join(e.quote for e in omission.evidence)


def judge(trials: Iterable[Trial], judged: Callable[[int], None] = lambda n: None) -> list[Verdict]:
    """The verdicts; ``judged`` is called after each with the number of dropped facts."""
    found = []
    for trial in trials:
        report = checked(trial.encounter, trial.text)
        found.append(Verdict(trial, tuple(report.omissions)))
        judged(len(trial.dropped))
    return found


def summarize(verdicts: Sequence[Verdict], *, seed: int, command: str = "") -> ClinicalResult:
    """The result, as it is written and shown."""
    dropped: dict[str, dict[str, tuple[int, int]]] = {}
    named: dict[str, dict[str, tuple[int, int]]] = {}
    for verdict in verdicts:
        group = verdict.trial.encounter.id
        for fact, hit in zip(verdict.trial.dropped, verdict.hits(), strict=True):
            _count(dropped.setdefault(fact.kind, {}), group, hit)
        wrong = verdict.false()
        for omission in verdict.named:
            _count(named.setdefault(omission.kind, {}), group, omission not in wrong)
    recalls = {k: _figure(k, dropped[k], "检出率 recall by kind") for k in sorted(dropped)}
    precisions = {k: _figure(k, named[k], "准确率 precision by kind") for k in sorted(named)}
    recall = share("检出率 recall", _whole(dropped))
    precision = share("准确率 precision", _whole(named))
    judged = [precisions[k].value for k in recalls if k in precisions]
    return ClinicalResult(
        kind="omissions",
        title="遗漏核对的检验 Omission check",
        headline=recall,
        scores={
            "recall": recall.value,
            "precision": precision.value,
            "least_recall": min(f.value for f in recalls.values()),
            "least_precision": min(judged, default=0.0),
        },
        figures=[recall, precision, *recalls.values(), *precisions.values()],
        tables=[_table(recalls, precisions)],
        cases=_cases(verdicts),
        notes=[
            f"{len(verdicts)} 份小结，删去 {recall.n} 项已知要点，随机种子 {seed}。"
            f" ({len(verdicts)} summaries, {recall.n} known facts dropped.)",
            "要点来自示例与生成病历的数据行、故事作者所列要点和写入病程的事件，不由核对程序自己给出；"
            "其余文字换词。(What was dropped is known from rows, the stories' authors and "
            "events written into the notes, never from the extractor; the rest is reworded.)",
            "准确率：所报遗漏中确被删去者的比例。(Precision: of all omissions named, must-have "
            "and useful, the share that had been taken away.)",
        ],
        hashes={"trials": texts_digest(v.trial.id + v.trial.text for v in verdicts)},
        command=command,
        sources=["assistant/samples/encounters", "eval/clinical/data"],
    )


def _count(counts: dict[str, tuple[int, int]], group: str, hit: bool) -> None:
    hits, n = counts.get(group, (0, 0))
    counts[group] = hits + hit, n + 1


def _whole(kinds: dict[str, dict[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    whole: dict[str, tuple[int, int]] = {}
    for counts in kinds.values():
        for group, (hits, n) in counts.items():
            before = whole.get(group, (0, 0))
            whole[group] = before[0] + hits, before[1] + n
    return whole


def _figure(kind: str, counts: dict[str, tuple[int, int]], group: str) -> Figure:
    name = KIND_ZH.get(kind, kind)  # type: ignore[call-overload]
    return share(f"{name} {kind.replace('_', ' ')}", counts, group=group)


def _table(recalls: dict[str, Figure], precisions: dict[str, Figure]) -> Table:
    rows = []
    for kind in sorted({*recalls, *precisions}):
        found, right = recalls.get(kind), precisions.get(kind)
        rows.append(
            [
                kind,
                str(found.n) if found else "0",
                f"{found.value:.1f}" if found else "—",
                str(right.n) if right else "0",
                f"{right.value:.1f}" if right else "—",
            ]
        )
    return Table(
        title="各类遗漏 By kind",
        columns=["kind", "dropped", "recall %", "named", "precision %"],
        rows=rows,
    )


def _cases(verdicts: Sequence[Verdict]) -> list[Case]:
    """Dropped facts that were not named, then omissions that are none; some of each kind."""
    found: list[Case] = []
    seen: Counter[str] = Counter()
    for v in verdicts:
        for fact, hit in zip(v.trial.dropped, v.hits(), strict=True):
            if not hit and seen[f"missed:{fact.kind}"] < 15:
                seen[f"missed:{fact.kind}"] += 1
                found.append(_case(v, f"missed:{fact.kind}", "、".join(fact.keys), ""))
        for omission in v.false():
            if seen[f"false:{omission.kind}"] < 15:
                seen[f"false:{omission.kind}"] += 1
                found.append(_case(v, f"false:{omission.kind}", "", omission.suggestion))
    return found[:MOST_CASES]


def _case(verdict: Verdict, kind: str, expected: str, answer: str) -> Case:
    return Case(
        id=f"{verdict.trial.id} {verdict.trial.encounter.id}",
        kind=kind,
        given=verdict.trial.text[:1500],
        expected=expected,
        answer=answer,
    )
