"""Recall and false alarms of each rule, and what is said of clean encounters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.alerts.alert import Alert
from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import Rule
from assistant.record.encounter import Encounter
from eval.clinical.alerts.seeding import Trial
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest

SCORES = ("recall", "specificity", "least_recall", "least_specificity", "clean")
MOST_CASES = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """A trial, and whether its rule spoke anew."""

    trial: Trial
    spoke: bool

    @property
    def right(self) -> bool:
        """Whether it did what it should."""
        return self.spoke is self.trial.speaks


def judge(
    trials: Iterable[Trial], rules: Mapping[str, Rule], judged: Callable[[], None] = lambda: None
) -> list[Verdict]:
    """The verdicts; ``judged`` is called after each."""
    found = []
    for trial in trials:
        only = {trial.rule: rules[trial.rule]}
        before = {alert.key for alert in alerts_of(trial.base, only)}
        spoke = any(alert.key not in before for alert in alerts_of(trial.encounter, only))
        found.append(Verdict(trial, spoke))
        judged()
    return found


def of_clean(
    clean: Sequence[Encounter], rules: Mapping[str, Rule], seen: Callable[[], None] = lambda: None
) -> dict[str, list[Alert]]:
    """What is said of each clean encounter."""
    found = {}
    for encounter in clean:
        found[encounter.id] = alerts_of(encounter, rules)
        seen()
    return found


def summarize(
    verdicts: Sequence[Verdict],
    said: Mapping[str, list[Alert]],
    *,
    seed: int,
    command: str = "",
) -> ClinicalResult:
    """The result, as it is written and shown."""
    names = sorted({v.trial.rule for v in verdicts})
    recall = _share("检出率 recall", [v for v in verdicts if v.trial.speaks])
    silence = _share("不误报率 specificity", [v for v in verdicts if not v.trial.speaks])
    by_rule = {
        name: (
            _share(name, [v for v in verdicts if v.trial.rule == name and v.trial.speaks]),
            _share(name, [v for v in verdicts if v.trial.rule == name and not v.trial.speaks]),
        )
        for name in names
    }
    stops = [float(sum(a.interruptive for a in alerts)) for alerts in said.values()]
    shown = [float(len(alerts)) for alerts in said.values()]
    interruptive = mean("每份无缺陷病历的打断式提示 interruptive a clean encounter", stops)
    every = mean("每份无缺陷病历的提示 alerts a clean encounter", shown)
    return ClinicalResult(
        kind="alerts",
        title="事中提示的检验 Alerts",
        headline=recall,
        scores={
            "recall": recall.value,
            "specificity": silence.value,
            "least_recall": min((f.value for f, _ in by_rule.values() if f.n), default=0.0),
            "least_specificity": min((f.value for _, f in by_rule.values() if f.n), default=0.0),
            "clean": 100 * max(0.0, 1 - interruptive.value),
        },
        figures=[recall, silence, interruptive, every],
        tables=[_by_rule(by_rule), _of_clean(said)],
        cases=_cases(verdicts),
        notes=[
            f"{len(verdicts)} 份植入规则用例的病历，{len(said)} 份无缺陷病历，随机种子 {seed}。"
            f" ({len(verdicts)} records with a case of a rule, {len(said)} clean ones.)",
            "植入的是规则自带的用例（药名常换为同类药），规则与用例出自同一批作者："
            "数字说明规则在整份病历中是否仍成立，不说明规则覆盖了多少真实风险。"
            "(The cases are the rules' own: the figures say whether a rule holds among all else of "
            "a record, not how much of real harm the rules cover.)",
        ],
        hashes={"trials": texts_digest(v.trial.id for v in verdicts)},
        command=command,
        sources=["assistant/alerts/rules", "assistant/samples/encounters"],
    )


def _share(name: str, verdicts: Sequence[Verdict]) -> Figure:
    counts: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        hits, n = counts.get(verdict.trial.base.id, (0, 0))
        counts[verdict.trial.base.id] = hits + verdict.right, n + 1
    return share(name, counts)


def _by_rule(by_rule: Mapping[str, tuple[Figure, Figure]]) -> Table:
    rows = [
        [name, str(found.n), f"{found.value:.1f}", str(quiet.n), f"{quiet.value:.1f}"]
        for name, (found, quiet) in by_rule.items()
    ]
    return Table(
        title="按规则 By rule",
        columns=["规则 rule", "应提示 n", "recall %", "不应提示 n", "specificity %"],
        rows=rows,
    )


def _of_clean(said: Mapping[str, list[Alert]]) -> Table:
    counts = Counter((a.rule, a.severity) for alerts in said.values() for a in alerts)
    return Table(
        title="无缺陷病历上的提示 Alerts on clean encounters",
        columns=["规则 rule", "级别 severity", "n"],
        rows=[[rule, severity, str(n)] for (rule, severity), n in counts.most_common()],
        note="其中相互作用等可能确有其事。(Some may be right: pairs of drugs in the stays.)",
    )


def _cases(verdicts: Sequence[Verdict]) -> list[Case]:
    return [
        Case(
            id=v.trial.id,
            kind=v.trial.rule,
            given=_given(v.trial)[:400],
            expected="提示 alert" if v.trial.speaks else "—",
            answer="提示 alert" if v.spoke else "—",
            note="漏检 missed" if v.trial.speaks else "误报 false alarm",
        )
        for v in verdicts
        if not v.right
    ][:MOST_CASES]


def _given(trial: Trial) -> str:
    """What was put in, for people to read."""
    old = {row.id for row in trial.base.medications}
    drugs = [row.name for row in trial.encounter.medications if row.id not in old]
    results = [
        f"{row.name} {row.value}{row.unit}"
        for row in trial.encounter.observations
        if row.id.startswith("seeded-")
    ]
    diagnoses = [d.name for d in trial.encounter.diagnoses[len(trial.base.diagnoses) :]]
    return "；".join([*drugs, *results, *diagnoses])
