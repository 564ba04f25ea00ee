"""What quality control finds of the seeded defects: recall and precision by kind, false marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from assistant.tasks.record_qc.chain import inspect
from assistant.tasks.record_qc.chart import PageCache
from assistant.tasks.record_qc.draft import QcFinding
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.rules import Rules, read_rules
from assistant.tasks.structuring.pipeline import Structurer
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.record_qc.clean import GAPS
from eval.clinical.record_qc.defects import ALSO
from eval.clinical.record_qc.trials import Trial
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest

MOST_CASES = 300
LEAST = 90.0
"""What recall and precision of every kind are meant to reach, in percent."""
FEW = 0.3
"""False marks on a clean encounter that are not too many."""
SCORES = ("recall", "precision", "least_recall", "least_precision", "clean")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A trial and the marks that the clean encounter does not have."""

    trial: Trial
    marks: tuple[QcFinding, ...]

    @property
    def hit(self) -> bool:
        """Whether the seeded defect is among the marks."""
        return any(mark.kind == self.trial.kind for mark in self.marks)

    @property
    def false(self) -> list[QcFinding]:
        """Marks of a kind that the defect is not."""
        also = ALSO.get(self.trial.kind, set()) | {self.trial.kind}
        return [mark for mark in self.marks if mark.kind not in also]


class Inspector:
    """Inspects encounters that share most of their notes."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._structurer = Structurer(None)
        self._rules = rules or read_rules()
        self._cache = PageCache()
        self._clean: dict[str, list[QcFinding]] = {}

    def marks(self, encounter: CheckedEncounter) -> list[QcFinding]:
        """The findings of an encounter."""
        return inspect(encounter, self._structurer, self._rules, self._cache).findings

    def of_clean(self, encounter: CheckedEncounter) -> list[QcFinding]:
        """The findings of a clean encounter, each once inspected."""
        if encounter.id not in self._clean:
            self._clean[encounter.id] = self.marks(encounter)
        return self._clean[encounter.id]

    def judge(self, trial: Trial) -> Verdict:
        """What a seeded trial has beside the marks of its clean encounter."""
        known = {(m.kind, m.message) for m in self.of_clean(trial.clean)}
        seen = [m for m in self.marks(trial.encounter) if (m.kind, m.message) not in known]
        return Verdict(trial, tuple(seen))

    def false_marks(self, encounter: CheckedEncounter) -> list[QcFinding]:
        """The marks of a clean encounter that no known gap of it explains."""
        gaps = GAPS.get(encounter.id, set())
        return [m for m in self.of_clean(encounter) if m.kind not in gaps]


def judge(
    trials: Iterable[Trial], inspector: Inspector, judged: Callable[[], None] = lambda: None
) -> list[Verdict]:
    """The verdicts; ``judged`` is called after each."""
    found = []
    for trial in trials:
        found.append(inspector.judge(trial))
        judged()
    return found


def summarize(
    verdicts: Sequence[Verdict],
    clean: Sequence[CheckedEncounter],
    inspector: Inspector,
    *,
    seed: int,
    command: str = "",
) -> ClinicalResult:
    """The result, as it is written and shown."""
    kinds = sorted({v.trial.kind for v in verdicts})
    false = Counter(m.kind for v in verdicts for m in v.false)
    found, right = {}, {}
    for kind in kinds:
        mine = [v for v in verdicts if v.trial.kind == kind]
        found[kind] = _recall(f"{kind}", mine, "检出率 recall by kind")
        right[kind] = _precision(kind, sum(v.hit for v in mine), false[kind])
    recall = _recall("检出率 recall", verdicts, "")
    hits = sum(v.hit for v in verdicts)
    precision = _precision("准确率 precision", hits, sum(false.values()), "")
    marks = {e.id: float(len(inspector.false_marks(e))) for e in clean}
    alarm = mean("每份无缺陷病历误报 false marks a clean encounter", list(marks.values()), unit="")
    scores = {
        "recall": recall.value,
        "precision": precision.value,
        "least_recall": min(f.value for f in found.values()),
        "least_precision": min(f.value for f in right.values()),
        "clean": 100 * max(0.0, 1 - alarm.value),
    }
    return ClinicalResult(
        kind="record-qc",
        title="病历质控的检验 Record quality control",
        headline=recall,
        scores=scores,
        figures=[recall, precision, alarm, *found.values(), *right.values()],
        tables=[_by_kind(kinds, verdicts, found, right, false), _of_clean(clean, inspector)],
        cases=_cases(verdicts, clean, inspector),
        notes=[
            f"{len(verdicts)} 份各植入一处缺陷的病历，{len(clean)} 份无缺陷病历，随机种子 {seed}。"
            f" ({len(verdicts)} encounters with one seeded defect each, {len(clean)} clean ones.)",
            "病历为示例和生成的；植入的措辞由本项目撰写，规则与措辞出自同一批作者。"
            "(Invented encounters; those who wrote the rules worded the defects.)",
            "准确率：某类标记中由该类缺陷引起者的比例，无缺陷病历上的标记另计。"
            "(Precision: marks of a kind that a defect of it brought, of all new marks.)",
        ],
        hashes={"trials": texts_digest(v.trial.id for v in verdicts)},
        command=command,
        sources=["assistant/samples/encounters", "eval/clinical/data"],
    )


def _recall(name: str, verdicts: Sequence[Verdict], group: str) -> Figure:
    counts: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        hits, n = counts.get(verdict.trial.clean.id, (0, 0))
        counts[verdict.trial.clean.id] = hits + verdict.hit, n + 1
    return share(name, counts, group=group)


def _precision(name: str, hits: int, false: int, group: str = "准确率 precision by kind") -> Figure:
    n = hits + false
    # Nothing marked is nothing marked wrongly.
    value = 100 * hits / n if n else 100.0
    return Figure(name=name, value=value, n=n, group=group)


def _by_kind(
    kinds: Sequence[str],
    verdicts: Sequence[Verdict],
    found: dict[str, Figure],
    right: dict[str, Figure],
    false: Counter[str],
) -> Table:
    rows = []
    for kind in kinds:
        mine = [v for v in verdicts if v.trial.kind == kind]
        rows.append(
            [kind, str(len(mine)), str(sum(v.hit for v in mine)), f"{found[kind].value:.1f}",
             str(false[kind]), f"{right[kind].value:.1f}"]
        )  # fmt: skip
    return Table(
        title="按缺陷类型 By kind of defect",
        columns=["类型 kind", "n", "检出 found", "recall %", "误标 false", "precision %"],
        rows=rows,
    )


def _of_clean(clean: Sequence[CheckedEncounter], inspector: Inspector) -> Table:
    counts = Counter(m.kind for e in clean for m in inspector.false_marks(e))
    return Table(
        title="无缺陷病历上的误报 False marks on clean encounters",
        columns=["类型 kind", "n"],
        rows=[[kind, str(n)] for kind, n in counts.most_common()],
    )


def _cases(
    verdicts: Sequence[Verdict], clean: Sequence[CheckedEncounter], inspector: Inspector
) -> list[Case]:
    found = [
        Case(
            id=v.trial.id,
            kind=v.trial.kind,
            given=difference(v.trial)[:400],
            expected=v.trial.kind,
            answer="；".join(f"{m.kind}：{m.message}" for m in v.marks)[:600] or "—",
            note="漏检 missed" if not v.hit else "误标 false mark",
        )
        for v in verdicts
        if not v.hit or v.false
    ]
    found += [
        Case(id=e.id, kind=m.kind, given="", expected="—", answer=m.message, note="误报 false mark")
        for e in clean
        for m in inspector.false_marks(e)
    ]
    return found[:MOST_CASES]


def difference(trial: Trial) -> str:
    """What the defect changed, for people to read."""
    before = {n.id: n for n in trial.clean.notes}
    told = []
    for note in trial.encounter.notes:
        old = before.pop(note.id, None)
        if old is None:
            told.append(f"+{note.id}：{note.text}")
        elif old.text != note.text:
            start = next(
                (i for i, (a, b) in enumerate(zip(old.text, note.text, strict=False)) if a != b),
                min(len(old.text), len(note.text)),
            )
            told.append(f"{note.id}@{start}：…{note.text[max(0, start - 20) : start + 80]}…")
        elif old != note:
            told.append(f"{note.id}：{note.title} {note.written_at} “{note.author}”")
    told += [f"-{gone}" for gone in before]
    for table in ("diagnoses", "observations", "medications", "orders", "operations"):
        new = [r for r in getattr(trial.encounter, table) if r not in getattr(trial.clean, table)]
        told += [f"{table}：{row}" for row in new]
    return "；".join(told)
