"""A question, read: its kind and what it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from assistant.tasks.record_qa.abbreviations import written_out
from assistant.tasks.record_qa.draft import Focus
from assistant.tasks.record_qa.periods import Period

MAX_LENGTH = 2_000


@dataclass(frozen=True)
class Asked:
    """A question, read."""

    text: str
    kind: str = ""
    tests: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    imaging: tuple[str, ...] = ()
    section: str = ""
    calculator: str = ""
    day: date | None = None
    bad_day: str = ""
    count: int | None = None
    nth: int | None = None
    period: Period | None = None
    followed: bool = field(default=False, compare=False)

    @property
    def folded(self) -> str:
        """The text, folded, its abbreviations written out."""
        return written_out(self.text)

    def focus(self) -> Focus:
        """What a next question may leave out."""
        return Focus(
            kind=self.kind,
            tests=list(self.tests),
            drugs=[*self.drugs, *self.classes],
            terms=list(self.terms),
            calculator=self.calculator,
            day=self.day.isoformat() if self.day else "",
            count=self.count,
        )
