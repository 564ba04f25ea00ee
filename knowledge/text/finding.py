"""What the record says, with where it says it.

These are the words that ``knowledge`` and ``assistant`` share: a `Span` points into a note, a
`Finding` is one clinical statement found there with its polarity.  Offsets are counted in Unicode
code points of the original text, end exclusive, and nothing ever rewrites that text.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Polarity(StrEnum):
    """Whether the text asserts the finding or denies it."""

    PRESENT = "present"
    ABSENT = "absent"


class Certainty(StrEnum):
    """How sure the writer is: 可能/疑似/考虑 and the like make a finding uncertain."""

    CERTAIN = "certain"
    UNCERTAIN = "uncertain"


class Temporality(StrEnum):
    """Whether the finding belongs to this illness, to the past, or is only thought of.

    Hypothetical is what a plan or an advice names (如出现发热请就诊, 预防感染): nobody has it.
    """

    CURRENT = "current"
    PAST = "past"
    HYPOTHETICAL = "hypothetical"


class Experiencer(StrEnum):
    """Who has it: the patient, or somebody else (of the family, at work, next door)."""

    PATIENT = "patient"
    FAMILY = "family"


class Span(BaseModel):
    """A half-open range ``[start, end)`` of code points in the note ``note_id``."""

    model_config = ConfigDict(frozen=True)

    note_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.end < self.start:
            raise ValueError(f"span ends at {self.end}, before it starts at {self.start}")
        return self

    def overlaps(self, other: Span) -> bool:
        """True when both are in the same note and share at least one code point."""
        return self.note_id == other.note_id and self.start < other.end and other.start < self.end

    def shifted(self, by: int) -> Span:
        """The same range moved by ``by`` code points."""
        return Span(note_id=self.note_id, start=self.start + by, end=self.end + by)


class Finding(BaseModel):
    """One symptom, sign, test result or diagnosis as the record states it.

    ``text`` is the wording of the record, ``concept`` the name that the knowledge base uses for it
    (the two are equal when the base does not know a better one).
    """

    model_config = ConfigDict(frozen=True)

    text: str
    concept: str
    span: Span
    polarity: Polarity = Polarity.PRESENT
    certainty: Certainty = Certainty.CERTAIN
    temporality: Temporality = Temporality.CURRENT
    experiencer: Experiencer = Experiencer.PATIENT

    @property
    def is_certain(self) -> bool:
        """False when the writer only thinks it possible: it is then not to be stated as fact."""
        return self.certainty is Certainty.CERTAIN

    @property
    def counts_for(self) -> bool:
        """True when the finding, certain or not, is evidence of the patient's present illness."""
        return (
            self.polarity is Polarity.PRESENT
            and self.temporality is Temporality.CURRENT
            and self.experiencer is Experiencer.PATIENT
        )

    @property
    def counts_against(self) -> bool:
        """True when the patient is said, for certain or not, not to have it now."""
        return (
            self.polarity is Polarity.ABSENT
            and self.temporality is Temporality.CURRENT
            and self.experiencer is Experiencer.PATIENT
        )
