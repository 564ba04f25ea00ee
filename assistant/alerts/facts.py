"""What rules ask of a record: its chart, and the drugs that are ordered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.alerts.base import shipped_base
from assistant.alerts.chart import Chart, Result, Text, Told, lines_of
from assistant.alerts.drug import Drug, ingredient, is_said_to_be_stopped
from assistant.alerts.renal import Renal
from assistant.alerts.tables import classes_of
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan

if TYPE_CHECKING:
    from knowledge.clinical.base import ClinicalBase


class Facts:
    """One record at one moment.

    ``chart`` is what is kept of the same record from before, where its notes, diagnoses and
    results are the same.
    """

    def __init__(
        self,
        encounter: Encounter,
        *,
        drafts: Collection[str] = (),
        base: ClinicalBase | None = None,
        chart: Chart | None = None,
    ) -> None:
        self.encounter = encounter
        self.chart = chart or Chart(encounter)
        self._base = base
        self.drafts = frozenset(drafts)
        """The ids of medication rows that are not signed yet."""

    @property
    def base(self) -> ClinicalBase:
        """The clinical base: the one given, else the one that ships."""
        return self._base or shipped_base()

    @property
    def texts(self) -> Sequence[Text]:
        """The notes."""
        return self.chart.texts

    @property
    def at(self) -> datetime | None:
        """The last moment that the record tells of."""
        return self.chart.at

    @property
    def age(self) -> float | None:
        """In years, at the admission where it is known."""
        return self.chart.age

    @property
    def sex(self) -> str | None:
        """``male``, ``female`` or None."""
        return self.encounter.patient.sex

    @property
    def results(self) -> Sequence[Result]:
        """The rows of results, oldest first."""
        return self.chart.results

    @property
    def renal(self) -> Renal:
        """Renal function by the newest creatinine."""
        return self.chart.renal

    def latest(self, names: Sequence[str], unit: str) -> tuple[float, Result] | None:
        """The newest value of a test in ``unit``; None where there is none."""
        return self.chart.latest(names, unit)

    def problem(self, name: str) -> Told | None:
        """Where the record tells that the patient has a problem of the table; None where not."""
        return self.chart.problem(name)

    def order_row(self, number: int) -> TextSpan:
        """A line of the table of orders as evidence."""
        return lines_of(self.encounter, "orders")[number]

    @property
    def is_leaving(self) -> bool:
        """Whether the stay ends, or what is taken home is ordered."""
        return self.encounter.discharged_at is not None or any(
            row.discharge for row in self.encounter.medications
        )

    @cached_property
    def drugs(self) -> list[Drug]:
        """The rows of medication, without those that are said to be stopped though no day is."""
        lines = lines_of(self.encounter, "medications")
        return [
            Drug(row.name, ingredient(row.name), classes_of(row.name), line, row, row.discharge)
            for row, line in zip(self.encounter.medications, lines, strict=True)
            if not is_said_to_be_stopped(row)
        ]

    @cached_property
    def classes(self) -> frozenset[str]:
        """The classes of all rows of medication."""
        return frozenset().union(*(drug.classes for drug in self.drugs))

    def gives(self, classes: frozenset[str]) -> bool:
        """Whether a row of medication is of one of the classes."""
        return not self.classes.isdisjoint(classes)

    def is_drafted(self, drug: Drug) -> bool:
        """Whether a drug is about to be ordered."""
        return drug.row is not None and drug.row.id in self.drafts

    @cached_property
    def asked_rows(self) -> Sequence[Drug]:
        """The rows that are asked about: those about to be ordered, else all."""
        return [d for d in self.drugs if self.is_drafted(d)] if self.drafts else self.drugs

    def asked(self, classes: frozenset[str]) -> Sequence[Drug]:
        """The drugs of some classes that are asked about: rows, and where nothing is about to be
        ordered what notes say is given."""
        rows = [drug for drug in self.asked_rows if not drug.classes.isdisjoint(classes)]
        return rows if self.drafts else [*rows, *self.chart.noted(classes)]

    @cached_property
    def drafted(self) -> frozenset[str]:
        """The classes of the drugs that are about to be ordered."""
        return frozenset().union(*(d.classes for d in self.asked_rows if self.is_drafted(d)))
