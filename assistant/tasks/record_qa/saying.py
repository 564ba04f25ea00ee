"""An answer as it is put together: what is said always comes with the place that says it."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.draft import Statement
from assistant.record.evidence import Evidence, TextSpan
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Outcome, Plot, RecordAnswer, Row, Table
from assistant.tasks.record_qa.reading import NoteReading

MOST_QUOTES = 8
_LONG = 160


class Saying:
    """The parts of one answer."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.outcome: Outcome = "answered"
        self.messages: list[str] = []
        self.statements: list[Statement] = []
        self.tables: list[Table] = []
        self.plot: Plot | None = None
        self.warnings: list[str] = []

    def say(self, text: str, *evidence: Evidence, knowledge: bool = False) -> None:
        """One sentence with its places; the same sentence is said once.

        Raises ValueError without a place: what nothing shows is a `note`.
        """
        if not evidence:
            raise ValueError("a statement needs its evidence")
        if any(s.text == text for s in self.statements):
            return
        self.statements.append(
            Statement(
                id=f"a-{len(self.statements) + 1}",
                text=text,
                status="supported",
                evidence=list(dict.fromkeys(evidence)),
                origin="knowledge" if knowledge else "record",
            )
        )

    def quote(self, note: NoteReading, place: TextSpan, label: str = "") -> None:
        """A sentence of a note in its own words."""
        words = place.quote.strip().strip("，。；;")
        if len(words) > _LONG:
            words = words[:_LONG] + "…"
        lead = f"{label}——" if label else ""
        self.say(f"{lead}{note.name}：“{words}”", place)

    def note(self, text: str, outcome: Outcome | None = None) -> None:
        """Something about the answer itself."""
        if text not in self.messages:
            self.messages.append(text)
        if outcome is not None:
            self.outcome = outcome

    def warn(self, text: str) -> None:
        """Something to be careful with."""
        if text not in self.warnings:
            self.warnings.append(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Rows under headings; an empty table is none."""
        if rows:
            self.tables.append(Table(title=title, columns=list(columns), rows=list(rows)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.statements or self.tables)

    def answer(self, understood: str) -> RecordAnswer:
        """The draft."""
        return RecordAnswer(
            question=self.asked.text,
            route=self.asked.kind,
            understood=understood,
            outcome=self.outcome,
            message="".join(self.messages),
            statements=self.statements,
            tables=self.tables,
            plot=self.plot,
            warnings=self.warnings,
            focus=self.asked.focus(),
        )
