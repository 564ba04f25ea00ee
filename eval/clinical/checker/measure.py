"""The checker's verdicts on the trials, and what they come to: recall and false alarms by type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assistant.grounding.segments import Scope
from eval.clinical.checker.record import Record
from eval.clinical.checker.trial import ERRORS, TRUTHS, Trial
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest
from knowledge.base import KnowledgeBase
from knowledge.text.extraction import FindingReader

K = TypeVar("K", bound=str)

MOST_CASES = 200
"""Cases a result keeps; the tables count all of them."""

SCORES = ("recall", "passed", *(f"recall:{kind}" for kind in ERRORS))

_STAY = frozenset({Scope.STAY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker says of a trial; ``problems`` are the kinds of problem that it names."""

    trial: Trial
    supported: bool
    problems: tuple[str, ...]

    @property
    def right(self) -> bool:
        """A true statement passes and a false one does not."""
        return self.supported == self.trial.true


def judge(
    records: Sequence[Record],
    trials: Iterable[Trial],
    base: KnowledgeBase,
    judged: Callable[[], None] = lambda: None,
    reader: FindingReader | None = None,
) -> list[Verdict]:
    """Ground every trial in its record; ``judged`` is called after each, and ``reader`` finds
    what is held against one another (None: the lexicon, as in the product).

    A statement of the stay is held against the sentences of the stay, as in 诊疗经过, and any other
    against the whole record, where an error finds the most that could support it.
    """
    by_id = {record.id: record for record in records}
    of_record: dict[str, list[Trial]] = {}
    for trial in trials:
        of_record.setdefault(trial.record, []).append(trial)
    verdicts = []
    for record_id, mine in of_record.items():
        grounder = by_id[record_id].grounder(base, reader)
        for trial in mine:
            scopes = _STAY if trial.of_stay else None
            found = grounder.ground("s", trial.text, scopes=scopes)
            problems = tuple(dict.fromkeys(p.kind for p in found.problems))
            verdicts.append(Verdict(trial, found.status == "supported", problems))
            judged()
    return verdicts


def summarize(
    verdicts: Sequence[Verdict],
    *,
    records: int,
    base: KnowledgeBase,
    seed: int,
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """The result, as it is written and shown."""
    wrong = [v for v in verdicts if not v.trial.true]
    true = [v for v in verdicts if v.trial.true]
    recall = _rate("错误检出率 recall", wrong, lambda v: not v.supported)
    passed = _rate("真句通过率 true statements passed", true, lambda v: v.supported)
    found = _by_kind(wrong, ERRORS, "检出率 recall by type", lambda v: not v.supported)
    alarms = _by_kind(true, TRUTHS, "误报率 false alarms by type", lambda v: not v.supported)
    alarm = _rate("误报率 false alarms", true, lambda v: not v.supported)
    scores = {"recall": recall.value, "passed": passed.value}
    scores |= {f"recall:{kind}": figure.value for kind, figure in found.items()}
    return ClinicalResult(
        kind="checker",
        title="事实核对的检验 The checker itself",
        headline=recall,
        scores=scores,
        figures=[recall, alarm, *found.values(), *alarms.values()],
        tables=[
            _counts("按错误类型 By type of error", wrong, "检出 found", found),
            _counts("按真句类型 By type of true statement", true, "误报 refused", alarms),
            _reasons(wrong),
        ],
        cases=_cases(verdicts),
        notes=[
            f"{records} 份病历，{len(wrong)} 条植入错误，{len(true)} 条真实陈述，随机种子 {seed}。"
            f" ({records} records, {len(wrong)} seeded errors, {len(true)} true statements.)",
            "每条植入错误都经规则证明确为错误：病历中没有一句可能支持改动后的说法。"
            "(Every seeded error is proven to be one: no sentence might tell the changed part.)",
            "区间为 95 %：Wilson 区间与按病历自助法中较宽者。"
            "(95 % intervals: the wider of Wilson's and the bootstrap over records.)",
        ],
        hashes={
            "trials": texts_digest(
                f"{v.trial.record}\t{v.trial.kind}\t{v.trial.text}" for v in verdicts
            ),
            "knowledge": base.version,
        },
        command=command,
        sources=list(sources),
    )


def _rate(
    name: str, verdicts: Iterable[Verdict], hit: Callable[[Verdict], bool], group: str = ""
) -> Figure:
    counts: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        hits, n = counts.get(verdict.trial.record, (0, 0))
        counts[verdict.trial.record] = (hits + hit(verdict), n + 1)
    return share(name, counts, group=group)


def _by_kind(
    verdicts: Sequence[Verdict],
    kinds: Mapping[K, str],
    group: str,
    hit: Callable[[Verdict], bool],
) -> dict[K, Figure]:
    figures = {}
    for kind, zh in kinds.items():
        mine = [v for v in verdicts if v.trial.kind == kind]
        if mine:
            figures[kind] = _rate(f"{zh} {kind.replace('_', ' ')}", mine, hit, group)
    return figures


def _counts(
    title: str,
    verdicts: Sequence[Verdict],
    column: str,
    figures: Mapping[K, Figure],
) -> Table:
    refused = Counter[str](v.trial.kind for v in verdicts if not v.supported)
    rows = [
        [
            figure.name,
            str(figure.n),
            str(refused[kind]),
            f"{figure.value:.1f} %",
            f"{figure.low:.1f} – {figure.high:.1f}",
        ]
        for kind, figure in figures.items()
    ]
    return Table(title=title, columns=["类型 type", "n", column, "%", "95 %"], rows=rows)


def _reasons(wrong: Sequence[Verdict]) -> Table:
    """Which problem the checker names first, for each type of error that it finds."""
    pairs = Counter((v.trial.kind, v.problems[0]) for v in wrong if not v.supported and v.problems)
    names = sorted({problem for _, problem in pairs})
    rows = [
        [f"{zh} {kind.replace('_', ' ')}", *(str(pairs[kind, name] or "") for name in names)]
        for kind, zh in ERRORS.items()
        if any(pairs[kind, name] for name in names)
    ]
    return Table(
        title="检出时给出的首要理由 The reason named first",
        columns=["类型 type", *names],
        rows=rows,
    )


def _cases(verdicts: Sequence[Verdict]) -> list[Case]:
    """The verdicts that are wrong, missed errors first."""
    wrong = sorted((v for v in verdicts if not v.right), key=lambda v: v.trial.true)
    return [
        Case(
            id=f"{v.trial.record}:{v.trial.span.note_id}:{v.trial.span.start}",
            kind=v.trial.kind,
            given=v.trial.source,
            expected="supported" if v.trial.true else "unsupported",
            answer=v.trial.text,
            note=_note(v),
        )
        for v in wrong[:MOST_CASES]
    ]


def _note(verdict: Verdict) -> str:
    trial = verdict.trial
    if trial.true:
        return "误报 false alarm: " + "、".join(verdict.problems)
    change = f"{trial.before or '∅'} → {trial.after}" if trial.at >= 0 else ""
    return f"漏检 missed {change}".strip()
