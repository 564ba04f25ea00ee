"""Events that the rows of an encounter tell: operations, results and their turn, drugs, pending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from assistant.course.event import CourseEvent, Value
from assistant.record.encounter import RESERVED, Encounter
from assistant.record.evidence import TextSpan
from assistant.record.fields import written_day
from assistant.record.medication import Medication, medication_line
from assistant.record.note import Note
from assistant.record.observation import Observation, observation_line
from assistant.record.operation import LATERALITY_ZH, Operation, operation_line
from assistant.record.order import order_line
from knowledge.text.drugs import generic_name
from knowledge.text.quantity import quantities

TURNED = 0.2
"""Share by which a result must have moved for its turn to be told."""


class Rows:
    """The tables of an encounter, with the place of each row."""

    def __init__(self, encounter: Encounter) -> None:
        self._encounter = encounter
        self._tables: dict[str, Note] = {n.id: n for n in encounter.structured_notes()}

    def events(self) -> Iterator[CourseEvent]:
        """Everything that the rows tell."""
        yield from self._operations()
        yield from self._results()
        yield from self._drugs()
        yield from self._pending()

    def _at(self, table: str, line: str) -> TextSpan:
        note = self._tables[RESERVED + table]
        start = f"\n{note.text}\n".index(f"\n{line}\n")
        return TextSpan(note_id=note.id, start=start, end=start + len(line), quote=line)

    def _operations(self) -> Iterator[CourseEvent]:
        for row in self._encounter.operations:
            name = _sided(row)
            yield CourseEvent(
                kind="operation",
                importance="must",
                when=written_day(row.at),
                matter=f"行{name}",
                day=_day(row.at),
                evidence=(self._at("operations", operation_line(row)),),
                words=(name,),
            )

    def _results(self) -> Iterator[CourseEvent]:
        series: dict[str, list[Observation]] = {}
        for row in self._encounter.observations:
            if row.status == "final" and row.value.strip():
                series.setdefault(row.name, []).append(row)
        for rows in series.values():
            rows.sort(key=lambda r: _naive(r.at))
            telling = _telling(rows)
            if not telling:
                continue
            for number, row in enumerate(telling):
                yield self._result(row, again=number > 0)

    def _result(self, row: Observation, *, again: bool) -> CourseEvent:
        written = shown(row)
        # 肌钙蛋白I0.42 could be read as I0.42.
        joint = "为" if row.name[-1:].isascii() else ""
        return CourseEvent(
            kind="result",
            importance="must",
            when=written_day(row.at),
            matter=f"{'复查' if again else ''}{row.name}{joint}{written}",
            day=_day(row.at),
            evidence=(self._at("observations", observation_line(row)),),
            again=again,
            values=(Value(test=row.name, written=written, normal=again and row.flag == "normal"),),
        )

    def _drugs(self) -> Iterator[CourseEvent]:
        left = _day(self._encounter.discharged_at)
        for row in self._encounter.medications:
            place = (self._at("medications", medication_line(row)),)
            drug = generic_name(row.name)
            if row.discharge:
                yield CourseEvent(
                    kind="discharge_drug",
                    importance="must",
                    matter=f"出院带药：{_how(row)}",
                    day=left,
                    evidence=place,
                    drugs=(drug,),
                    dose=row.dose,
                )
                continue
            yield CourseEvent(
                kind="drug",
                importance="must",
                when=written_day(row.start),
                matter=f"予{_how(row)}",
                day=row.start,
                evidence=place,
                drugs=(drug,),
            )

    def _pending(self) -> Iterator[CourseEvent]:
        found = [
            (o.name, self._at("observations", observation_line(o)))
            for o in self._encounter.observations
            if o.status == "pending"
        ] + [
            (o.text, self._at("orders", order_line(o)))
            for o in self._encounter.orders
            if o.status == "pending"
        ]
        seen: set[str] = set()
        for name, place in found:
            if name not in seen:
                seen.add(name)
                yield CourseEvent(
                    kind="pending_result",
                    importance="must",
                    matter=f"待回报结果：{name}",
                    day=_day(self._encounter.discharged_at),
                    evidence=(place,),
                    words=(name,),
                )


def shown(row: Observation) -> str:
    """Value and unit as people read them: 7.6 and 10^9/L are 7.6×10^9/L."""
    joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
    return f"{row.value}{joint}{row.unit}"


def _telling(rows: list[Observation]) -> list[Observation]:
    """The first abnormal value, the one farthest from it, and the last where it has moved.

    A series that was never abnormal needs not be told.
    """
    abnormal = [r for r in rows if r.flag in ("high", "low", "abnormal")]
    if not abnormal:
        return []
    first, last = abnormal[0], rows[-1]
    numbers = {r.id: n for r in rows if (n := _number(r)) is not None}
    found = [first]
    if first.id in numbers:
        side = [r for r in abnormal if r.id in numbers and r.flag == first.flag]
        peak = max(side, key=lambda r: numbers[r.id] * (-1 if first.flag == "low" else 1))
        if _moved(numbers, first, peak):
            found.append(peak)
    if last not in found and (last.flag != found[-1].flag or _moved(numbers, found[-1], last)):
        found.append(last)
    return found


def _moved(numbers: dict[str, float], one: Observation, other: Observation) -> bool:
    if one.id not in numbers or other.id not in numbers:
        return one.value != other.value
    before, after = numbers[one.id], numbers[other.id]
    return abs(after - before) > TURNED * max(abs(before), 1e-9)


def _number(row: Observation) -> float | None:
    found = quantities(row.value)
    return float(found[0].low) if len(found) == 1 and len(found[0].values) == 1 else None


def _how(row: Medication) -> str:
    dose = f"每次{row.dose}" if row.dose else ""
    days = f"{row.days}天" if row.days and row.discharge else ""
    return " ".join(filter(None, (row.name, dose, row.route, row.frequency, days)))


def _sided(row: Operation) -> str:
    side = LATERALITY_ZH[row.laterality] if row.laterality else ""
    return row.name if not side or side[:1] in row.name else side + row.name


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _naive(at: datetime | None) -> datetime:
    return at.replace(tzinfo=None) if at else datetime.max
