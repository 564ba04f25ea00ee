"""What discharge drafts are worth: faithfulness, coverage of the facts, traps, Rouge-L."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.draft import NOT_RECORDED, Statement
from assistant.tasks.discharge.draft import SectionDraft, SectionName
from eval.clinical.discharge.known import Fact, KnownEncounter, Trap
from eval.promptcblue.rouge import rouge_l, tokens

_NUMBER = re.compile(r"^\d{1,2}\. ")

_ABSENT = re.compile(rf"（[^（）]*{NOT_RECORDED}）")
"""What a copied row says that it lacks."""

MINOR: frozenset[str] = frozenset({"no_evidence", "certainty"})
"""Problems of wording: every hard fact of the statement agrees with the record, and what is left of
it may follow from the record or not.  Any other problem is a major one."""

COPIED: frozenset[SectionName] = frozenset({"discharge_diagnosis", "discharge_orders"})
"""Sections that never pass through a model."""

WRONG: dict[str, frozenset[str]] = {
    "数字 numbers": frozenset({"number", "unit", "date", "dose"}),
    "药物 drugs": frozenset({"drug"}),
    "否定 negations": frozenset({"negation", "certainty"}),
    "既往住院 earlier stay": frozenset({"earlier_stay"}),
    "侧别与他人 side or patient": frozenset({"laterality", "wrong_patient"}),
    "无依据 no evidence": frozenset({"no_evidence"}),
}
"""Kinds of problem that the checker names, as they are counted."""


@dataclass(frozen=True)
class EncounterScore:
    """One encounter's drafts against what is known of it."""

    id: str
    speciality: str
    written: tuple[Statement, ...]
    copied: int
    told: tuple[tuple[Fact, bool], ...]
    traps: tuple[tuple[Trap, str], ...]
    rouge: dict[SectionName, float] = field(default_factory=dict)
    left_out: int = 0
    """Sentences of the model that its draft did not take over."""

    @property
    def unsupported(self) -> list[Statement]:
        """Statements of the model that nothing in the record supports."""
        return [s for s in self.written if s.status == "unsupported"]

    @property
    def major(self) -> list[Statement]:
        """Those of which a hard fact disagrees with the record."""
        return [s for s in self.unsupported if any(p.kind not in MINOR for p in s.problems)]

    @property
    def sprung(self) -> list[tuple[Trap, str]]:
        """Traps that a statement stepped into, with the statement."""
        return [(trap, text) for trap, text in self.traps if text]

    def wrong(self) -> Counter[str]:
        """Statements by what is wrong with them; one with two problems counts in both."""
        return Counter(
            name
            for statement in self.unsupported
            for name, kinds in WRONG.items()
            if any(problem.kind in kinds for problem in statement.problems)
        )


def score(
    known: KnownEncounter, drafts: Sequence[SectionDraft], *, narrated: bool
) -> EncounterScore:
    """Score the sections of one encounter; without a model only the copied ones count."""
    statements: dict[SectionName, list[Statement]] = {d.section: d.statements for d in drafts}
    everything = [s for found in statements.values() for s in found]
    wanted = [f for f in known.facts if narrated or f.section in COPIED]
    whole = {section: _text(found) for section, found in statements.items()}
    return EncounterScore(
        id=known.encounter.id,
        speciality=known.speciality or known.encounter.department,
        written=tuple(s for s in everything if s.origin == "model"),
        copied=sum(s.origin != "model" and NOT_RECORDED not in s.text for s in everything),
        told=tuple((fact, fact.is_in(whole.get(fact.section, ""))) for fact in wanted),
        traps=tuple(
            (trap, _stepped_in(trap, statements.get(trap.section, ())))
            for trap in known.traps
            if narrated or trap.section in COPIED
        ),
        left_out=sum(len(d.left_out) for d in drafts),
        rouge={
            section: rouge_l(tokens(whole.get(section, "")), tokens(text))
            for section, text in known.reference.items()
            if text.strip() and (narrated or section in COPIED)
        },
    )


def _text(statements: Sequence[Statement]) -> str:
    """The section without its list numbers, which would run into a name that begins with one."""
    texts = (_ABSENT.sub("", _NUMBER.sub("", s.text)) for s in statements)
    return "\n".join(text for text in texts if NOT_RECORDED not in text)


def _stepped_in(trap: Trap, statements: Sequence[Statement]) -> str:
    """The first statement that springs the trap; "" if none does."""
    return next((s.text for s in statements if trap.sprung(s.text)), "")
