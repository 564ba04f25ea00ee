"""What asking the record gives of the trials: how good by kind, how safe, how long."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from assistant.tasks.record_qa.chain import ask
from assistant.tasks.record_qa.reading import RecordReading
from eval.clinical.proportion import share
from eval.clinical.record_qa import wordings
from eval.clinical.record_qa.judging import GRADES, Verdict, grade, unsupported
from eval.clinical.record_qa.trial import Trial
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest

SCORES = ("right", "told", "safe", "least", "held", "quick")
QUICK = 3.0
"""Seconds that a first answer may take."""
MOST_CASES = 200
_SHOWN = 600


def asked(trials: Iterable[Trial], done: Callable[[], None] = lambda: None) -> list[Verdict]:
    """The verdicts; every question is asked of a record that nobody has read yet."""
    found = []
    for trial in trials:
        started = time.perf_counter()
        answer = ask(RecordReading(trial.encounter), trial.question)
        seconds = time.perf_counter() - started
        found.append(Verdict(trial, answer, grade(trial, answer), seconds))
        done()
    return found


def strangers_asked() -> dict[str, list[Verdict]]:
    """The verdicts of the strangers' wordings, by set."""
    found: dict[str, list[Verdict]] = {}
    for half in wordings.HALVES:
        found[half] = []
        for trial in wordings.strangers(half):
            answer = wordings.answered(trial)
            verdict = Verdict(trial, answer, wordings.grade(trial, answer), answer.seconds)
            found[half].append(verdict)
    return found


def summarize(
    verdicts: Sequence[Verdict],
    strangers: dict[str, list[Verdict]],
    *,
    seed: int,
    command: str = "",
) -> ClinicalResult:
    """The result, as it is written and shown."""
    kinds = sorted({v.trial.kind for v in verdicts})
    by_kind = {k: [v for v in verdicts if v.trial.kind == k] for k in kinds}
    right = _share("答对 exact", verdicts, lambda v: v.grade == "exact")
    told = _share(
        "答对或部分 exact or partial", verdicts, lambda v: v.grade in ("exact", "partial")
    )
    safe = _share("无危险错误 safe", verdicts, lambda v: v.grade != "unsafe")
    quick = _share("3 秒内 within 3 s", verdicts, lambda v: v.seconds <= QUICK)
    figures = {
        k: _share(k, own, lambda v: v.grade == "exact", "答对率 exact by kind")
        for k, own in by_kind.items()
    }
    halves = {
        half: _share(f"陌生问法 strangers ({half})", own, lambda v: v.grade == "exact", "陌生问法")
        for half, own in strangers.items()
    }
    slowest = max(v.seconds for v in verdicts)
    longest = Figure(name="最慢一次 slowest answer", value=slowest, n=len(verdicts), unit="s")
    scores = {
        "right": right.value,
        "told": told.value,
        "safe": safe.value,
        "least": min(f.value for f in figures.values()),
        "held": halves["held"].value,
        "quick": quick.value,
    }
    every = [*verdicts, *(v for own in strangers.values() for v in own)]
    return ClinicalResult(
        kind="record-qa",
        title="问病历的检验 Asking the record",
        headline=right,
        scores=scores,
        figures=[right, told, safe, quick, longest, *halves.values(), *figures.values()],
        tables=[_by_kind(by_kind), _of_strangers(strangers)],
        cases=_cases(every),
        notes=[
            f"{len(verdicts)} 个问题，{len(kinds)} 类，随机种子 {seed}；答案由行数据与生成器的真值"
            "另行算出，不经产品的查询代码。(Known answers are computed apart from the product.)",
            "病历为示例和生成的；问法模板与路由表出自同一作者，陌生问法写在路由表之前。"
            "(Invented encounters; who wrote the routes wrote the questions as well.)",
            f"无出处而标为有依据的句子：{unsupported([v.answer for v in every])} 句。"
            "(Statements that pass for supported without a place.)",
        ],
        hashes={"trials": texts_digest(v.trial.question for v in verdicts)},
        command=command,
        sources=["assistant/samples/encounters", "eval/clinical/data"],
    )


def _share(
    name: str, verdicts: Sequence[Verdict], good: Callable[[Verdict], bool], group: str = ""
) -> Figure:
    counts: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        hits, n = counts.get(verdict.trial.encounter.id, (0, 0))
        counts[verdict.trial.encounter.id] = hits + good(verdict), n + 1
    return share(name, counts, group=group)


def _by_kind(by_kind: dict[str, list[Verdict]]) -> Table:
    rows = []
    for kind, own in by_kind.items():
        counts = Counter(v.grade for v in own)
        rows.append([kind, str(len(own)), *(str(counts[g]) for g in GRADES)])
    return Table(
        title="按问题类型 By kind of question", columns=["类型 kind", "n", *GRADES], rows=rows
    )


def _of_strangers(strangers: dict[str, list[Verdict]]) -> Table:
    rows = []
    for half, own in strangers.items():
        counts = Counter(v.grade for v in own)
        rows.append([half, str(len(own)), *(str(counts[g]) for g in GRADES)])
    return Table(
        title="陌生问法 Strangers' wordings",
        columns=["一半 half", "n", *GRADES],
        rows=rows,
        note="首次测得：held 27/30 对、1 误导；second 27/40 对、6 误导；third 31/61 对、9 部分、"
        "11 直说没有看懂、7 错、3 误导；fourth 17/24 对、3 部分、其余直说没有看懂或没有找到。"
        "此后已据其改进，现值不是新问法的估计。",
    )


def _cases(verdicts: Sequence[Verdict]) -> list[Case]:
    return [
        Case(
            id=v.trial.encounter.id,
            kind=v.trial.kind,
            given=v.trial.question,
            expected=" & ".join("/".join(group) for group in v.trial.must) or v.trial.expects,
            answer=v.answer.plain_text()[:_SHOWN] or "—",
            note=v.grade,
        )
        for v in verdicts
        if v.grade != "exact"
    ][:MOST_CASES]
