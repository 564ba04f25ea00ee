"""What a case says, as the curated ranking sees it: findings, age, sex, and how it began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from knowledge.clinical.entry import Onset
from knowledge.clinical.onset import onset_of
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.text.finding import Experiencer, Finding, Polarity, Temporality

_DELUSION = "妄想"


@dataclass(frozen=True)
class CaseEvidence:
    """``present`` and ``absent`` map findings to how sure the text is (1, or less).

    ``spans`` has, for each, the first finding of the text that says so.
    """

    present: Mapping[str, float]
    absent: Mapping[str, float]
    spans: Mapping[str, Finding] = field(default_factory=dict)
    age_years: float | None = None
    sex: Sex | None = None
    onset: frozenset[Onset] = frozenset()

    def answered(self, answers: Mapping[str, bool]) -> CaseEvidence:
        """The evidence with what was asked since: finding → whether the patient has it."""
        present = {n: s for n, s in self.present.items() if answers.get(n, True)}
        absent = {n: s for n, s in self.absent.items() if not answers.get(n, False)}
        present |= {name: 1.0 for name, has in answers.items() if has}
        absent |= {name: 1.0 for name, has in answers.items() if not has}
        return replace(self, present=present, absent=absent)


DOUBTED = 0.5
"""What a finding counts that the writer only thinks possible."""


def case_evidence(
    findings: Iterable[Finding],
    known: Vocabulary,
    texts: Sequence[str] = (),
    *,
    age_years: float | None = None,
    sex: Sex | None = None,
) -> CaseEvidence:
    """The evidence of the findings of a case; what is present somewhere is not absent.

    Earlier diseases, exposures and how it went count though they are past; all else must be of now.
    """
    present: dict[str, float] = {}
    absent: dict[str, float] = {}
    spans: dict[str, Finding] = {}
    for finding in findings:
        kind = known.kind(finding.concept)
        if kind is None or not _counts(finding, kind):
            continue
        sure = 1.0 if finding.is_certain else DOUBTED
        side = absent if finding.polarity is Polarity.ABSENT else present
        side[finding.concept] = max(sure, side.get(finding.concept, 0.0))
        kept = spans.get(finding.concept)
        if kept is None or (kept.polarity is Polarity.ABSENT) > (side is absent):
            spans[finding.concept] = finding
    above = {a for name in present for a in known.ancestors(name)}
    absent = {name: s for name, s in absent.items() if name not in present and name not in above}
    return CaseEvidence(present, absent, spans, age_years, sex, onset_of(texts))


def _counts(finding: Finding, kind: str) -> bool:
    if finding.temporality is Temporality.HYPOTHETICAL:
        return False
    if finding.concept.endswith("家族史"):
        # 父亲有高血压: the relative's illness is the patient's family history.
        return True
    if finding.experiencer is not Experiencer.PATIENT and not _is_believed(finding):
        return False
    return finding.temporality is Temporality.CURRENT or kind in ("history", "exposure", "course")


def _is_believed(finding: Finding) -> bool:
    """What the patient believes others do (同学在背后议论她) is the patient's delusion; what is
    called one (母亲有被害妄想) is whose it is said to be."""
    return finding.concept.endswith(_DELUSION) and _DELUSION not in finding.text
