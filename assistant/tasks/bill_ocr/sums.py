"""The sums among the fields of a bill: amounts put right, or found, by what a sum lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from assistant.tasks.bill_ocr.checks import Rule, check_rules, number_at
from assistant.tasks.bill_ocr.document import BillDocument, Cell
from assistant.tasks.bill_ocr.reckoning import readings
from assistant.tasks.bill_ocr.values import money

_MOST_CHANGES = 3
MENDED = "由算术核对取另一读法，原读作 {}"
FOUND = "标签未读清，按合计推得是此项，请核对"


def otherwise(cell: Cell, value: str) -> Cell:
    """A cell with another of its readings, which it says."""
    kept = [other for other in (cell.value, *cell.readings) if other != value]
    doubt = MENDED.format(cell.text)
    return cell.model_copy(
        update={"value": value, "readings": kept, "corrected": True, "doubt": doubt}
    )


def mend_sums(document: BillDocument) -> None:
    """Where sums fail, take the one other reading of an amount that makes most of them come out and
    spoils none."""
    for _ in range(_MOST_CHANGES):
        rules = _rules()
        states = [_holds(rule, document) for rule in rules]
        gains = {(name, value): _gain(rules, states, document, name, value)
                 for name, value in _candidates(rules, states, document)}  # fmt: skip
        most = max(gains.values(), default=0)
        best = [change for change, gain in gains.items() if gain == most]
        if most <= 0 or len(best) > 1:
            return
        ((name, value),) = best
        document.fields[name] = otherwise(document.fields[name], money(value))


def find_lacking(document: BillDocument, loose: Sequence[Cell]) -> None:
    """Where a sum lacks a single amount, and this one stands on the page without a label that was
    read, it is that one."""
    for rule in _rules():
        left, right = _sides(rule, document)
        lacking = [name for name in (*left, *right) if name not in document.fields]
        if len(lacking) != 1:
            continue
        value = _missing(rule, document, lacking[0])
        found = [cell for cell in loose if value in readings(cell)]
        if value is not None and value > 0 and len(found) == 1:
            document.fields[lacking[0]] = found[0].model_copy(
                update={"value": money(value), "corrected": True, "doubt": FOUND}
            )


def _rules() -> list[Rule]:
    return [rule for rule in check_rules() if rule["how"] in ("sum", "equal")]


def _candidates(
    rules: Sequence[Rule], states: Sequence[bool | None], document: BillDocument
) -> Iterator[tuple[str, Decimal]]:
    """(field, another reading of it) of the sums that fail; words are never changed."""
    failing = [rule for rule, holds in zip(rules, states, strict=True) if holds is False]
    names = {name for rule in failing for side in _sides(rule, document) for name in side}
    for name in sorted(names - {"total_in_words"}):
        first = number_at(document, name)
        for value in readings(document.fields[name]):
            if value != first:
                yield name, value


def _gain(
    rules: Sequence[Rule],
    states: Sequence[bool | None],
    document: BillDocument,
    name: str,
    value: Decimal,
) -> int:
    """How many more sums come out with another value; -1 where one that did no longer does."""
    changed = document.fields[name].model_copy(update={"value": money(value)})
    trial = document.model_copy(update={"fields": {**document.fields, name: changed}})
    after = [_holds(rule, trial) for rule in rules]
    if any(was and not now for was, now in zip(states, after, strict=True)):
        return -1
    return after.count(True) - list(states).count(True)


def _sides(rule: Rule, document: BillDocument) -> tuple[list[str], list[str]]:
    if rule["how"] == "equal":
        return [rule["fields"][0]], [rule["fields"][1]]
    may = [name for name in rule.get("may", ()) if name in document.fields]
    return [*rule["parts"], *may], list(rule["whole"])


def _holds(rule: Rule, document: BillDocument) -> bool | None:
    """Whether the two sides agree; None where a part is missing."""
    sides = _sides(rule, document)
    if any(name not in document.fields for side in sides for name in side):
        return None
    values = [[number_at(document, name) for name in side] for side in sides]
    if any(value is None for side in values for value in side):
        return False
    left, right = (sum((v for v in side if v is not None), Decimal(0)) for side in values)
    return left == right


def _missing(rule: Rule, document: BillDocument, name: str) -> Decimal | None:
    """What ``name`` would have to be; None where another part is missing, too."""
    left, right = _sides(rule, document)
    mine, other = (left, right) if name in left else (right, left)
    known = [number_at(document, n) for n in mine if n != name]
    whole = [number_at(document, n) for n in other]
    if name == "total_in_words" or None in known or None in whole:
        return None
    return sum((v for v in whole if v is not None), Decimal(0)) - sum(
        (v for v in known if v is not None), Decimal(0)
    )
