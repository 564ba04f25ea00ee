"""The scores of all encounters → the result: faithfulness, coverage, traps, Rouge-L."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from assistant.tasks.discharge.draft import SECTION_ZH
from eval.clinical.discharge.known import TRAPS
from eval.clinical.discharge.run import Drafted, Drafting
from eval.clinical.discharge.score import WRONG, EncounterScore, score
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table

SMOKE_TEST = (
    "本结果是作者编写的合成病历上的冒烟测试，未经临床医师审阅，不能说明在真实病历上的表现。"
    "(A smoke test on synthetic encounters written by the authors, read by no clinician.)"
)
GIVEN = "病历由使用者提供。(The encounters were given by the user.)"
SCORES = ("faithfulness", "as_written", "without_major", "coverage", "traps_avoided", "rouge_l")
MOST_CASES = 200

Count = Callable[[EncounterScore], tuple[int, int]]


def evaluate(
    drafting: Drafting,
    drafted: Drafted,
    *,
    synthetic: bool,
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """Score what was drafted; an encounter without drafts counts as nothing said."""
    narrated = drafting.model is not None
    scores = [
        score(known, drafted.drafts.get(known.encounter.id, []), narrated=narrated)
        for known in drafting.encounters
        if known.encounter.id in drafted.drafts or known.encounter.id in drafted.problems
    ]
    figures = _figures(scores)
    headline = figures["faithfulness" if "faithfulness" in figures else "coverage"]
    return ClinicalResult(
        kind="discharge",
        title="出院记录 Discharge record",
        headline=headline,
        scores={name: f.value for name, f in figures.items()},
        figures=[
            *figures.values(),
            *_by(scores, "各段要点覆盖率 coverage by section", _sections),
            *_by(scores, "各类要点覆盖率 coverage by kind of fact", _kinds),
            *_specialities(scores),
        ],
        tables=[_wrong(scores), _traps(scores)],
        cases=_cases(scores),
        notes=_notes(scores, drafted, synthetic=synthetic, narrated=narrated),
        model=drafting.identity(),
        hashes={
            "data": drafting.data_hash(),
            "prompt": drafting.prompt(),
            "knowledge": drafting.base.version,
        },
        command=command,
        sources=list(sources),
    )


def _share(name: str, scores: Sequence[EncounterScore], count: Count, group: str = "") -> Figure:
    return share(name, {s.id: count(s) for s in scores}, group=group)


def _figures(scores: Sequence[EncounterScore]) -> dict[str, Figure]:
    """The headline figures under the names of their scores, those alone that rest on something."""
    found = {
        "faithfulness": _share(
            "忠实度：有依据的陈述 faithfulness (strict: stated)",
            scores,
            lambda s: (len(s.written) - len(s.unsupported), len(s.written)),
        ),
        "as_written": _share(
            "模型原文的忠实度，含未采用的句子 of all that the model wrote, left out or not",
            scores,
            lambda s: (len(s.written) - len(s.unsupported), len(s.written) + s.left_out),
        ),
        "without_major": _share(
            "无重大不符：写明或可推断 stated or inferable (no major problem)",
            scores,
            lambda s: (len(s.written) - len(s.major), len(s.written)),
        ),
        "coverage": _share(
            "要点覆盖率 coverage of must-have facts",
            scores,
            lambda s: (sum(told for _, told in s.told), len(s.told)),
        ),
        "traps_avoided": _share(
            "避开的陷阱 traps avoided",
            scores,
            lambda s: (len(s.traps) - len(s.sprung), len(s.traps)),
        ),
    }
    rouge = [100 * value for s in scores for value in s.rouge.values()]
    if rouge:
        found["rouge_l"] = mean("Rouge-L", rouge, unit="%")
    return {name: figure for name, figure in found.items() if figure.n}


def _sections(s: EncounterScore) -> list[tuple[str, bool]]:
    return [(f"{SECTION_ZH[f.section]} {f.section.replace('_', ' ')}", told) for f, told in s.told]


def _kinds(s: EncounterScore) -> list[tuple[str, bool]]:
    return [(fact.kind, told) for fact, told in s.told]


def _by(
    scores: Sequence[EncounterScore],
    group: str,
    named: Callable[[EncounterScore], list[tuple[str, bool]]],
) -> list[Figure]:
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for s in scores:
        for name, told in named(s):
            hits, n = counts.setdefault(name, {}).get(s.id, (0, 0))
            counts[name][s.id] = (hits + told, n + 1)
    return [share(name, found, group=group) for name, found in counts.items()]


def _specialities(scores: Sequence[EncounterScore]) -> list[Figure]:
    group = "各专科要点覆盖率 coverage by speciality"
    return _by(scores, group, lambda s: [(s.speciality or "—", told) for _, told in s.told])


def _wrong(scores: Sequence[EncounterScore]) -> Table:
    total = sum((s.wrong() for s in scores), Counter[str]())
    written = sum(len(s.written) for s in scores)
    rows = [
        [name, str(total[name]), f"{100 * total[name] / written:.1f} %" if written else "—"]
        for name in WRONG
    ]
    return Table(
        title="模型所写陈述中的问题 What is wrong in the model's statements",
        columns=["问题 problem", "陈述 statements", "占比 share"],
        rows=rows,
        note=f"重大 major: {sum(len(s.major) for s in scores)}，"
        f"轻微（仅措辞无据）minor: {sum(len(s.unsupported) - len(s.major) for s in scores)}；"
        f"模型所写陈述 statements by the model: {written}；"
        f"照录 copied: {sum(s.copied for s in scores)}。",
    )


def _traps(scores: Sequence[EncounterScore]) -> Table:
    offered = Counter(trap.kind for s in scores for trap, _ in s.traps)
    sprung = Counter(trap.kind for s in scores for trap, _ in s.sprung)
    return Table(
        title="陷阱 Traps",
        columns=["陷阱 trap", "n", "误入 stepped into"],
        rows=[
            [f"{zh} {kind.replace('_', ' ')}", str(offered[kind]), str(sprung[kind])]
            for kind, zh in TRAPS.items()
            if offered[kind]
        ],
    )


def _cases(scores: Sequence[EncounterScore]) -> list[Case]:
    """Traps that were stepped into, then unsupported statements, then facts that are missing."""
    sprung = [
        Case(
            id=s.id,
            kind=f"trap:{trap.kind}",
            given=trap.quote,
            expected="不写成本次、本人或存在 not told like this",
            answer=text,
            note=SECTION_ZH[trap.section],
        )
        for s in scores
        for trap, text in s.sprung
    ]
    unsupported = [
        Case(
            id=s.id,
            kind="unsupported",
            given="",
            expected="有病历依据 supported by the record",
            answer=statement.text,
            note="；".join(f"{p.kind}: {p.text}" for p in statement.problems),
        )
        for s in scores
        for statement in s.unsupported
    ]
    missing = [
        Case(
            id=s.id,
            kind=f"missing:{fact.kind}",
            given=SECTION_ZH[fact.section],
            expected=" & ".join("|".join(group) for group in fact.words),
            answer="",
        )
        for s in scores
        for fact, told in s.told
        if not told
    ]
    return [*sprung, *unsupported, *missing][:MOST_CASES]


def _notes(
    scores: Sequence[EncounterScore], drafted: Drafted, *, synthetic: bool, narrated: bool
) -> list[str]:
    notes = [SMOKE_TEST if synthetic else GIVEN]
    specialities = {s.speciality for s in scores if s.speciality}
    notes.append(
        f"{len(scores)} 份病历，{len(specialities)} 个专科。"
        f" ({len(scores)} encounters, {len(specialities)} specialities.)"
    )
    if not narrated:
        notes.append(
            "未使用模型：只评价照录的出院诊断与出院医嘱。"
            "(No model: the copied sections alone are scored.)"
        )
    if drafted.problems:
        notes.append(_failures(drafted.problems))
    notes.append(
        "忠实度由产品自身的核对给出，其检出率与误报率见“事实核对的检验”。"
        "(Faithfulness is the checker's verdict; `bedside eval checker` measures the checker.)"
    )
    return notes


def _failures(problems: Mapping[str, str]) -> str:
    why = Counter(problems.values()).most_common(1)[0][0]
    return (
        f"{len(problems)} 份没有草稿，其要点均计为未写 (without drafts, counted as not told): {why}"
    )
