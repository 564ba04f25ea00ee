"""What of an entry agrees with what was written, and what speaks against it."""

from __future__ import annotations

from assistant.tasks.bill_ocr.catalogue.entry import Entry, Written
from assistant.tasks.bill_ocr.catalogue.wording import Wording, maker_core, read_wording

_ALIKE = 80.0
"""Percent of two makers' names from where on they are one."""


def of_entry(entry: Entry) -> Wording:
    """An entry taken apart."""
    return read_wording(
        Written(
            name=entry.name,
            specification=entry.specification,
            form=entry.form,
            maker=entry.maker,
        )
    )


def compare(written: Wording, entry: Wording) -> tuple[list[str], list[str]]:
    """(what agrees, what contradicts): of specification, form, route, marks, sides and maker."""
    agrees = ["specification"] * written.specification.tells_as(entry.specification)
    conflicts = []
    if written.specification.contradicts(entry.specification) or _nothing_shared(written, entry):
        conflicts.append("specification")
    if written.form and entry.form:
        if written.form == entry.form:
            agrees.append("form")
        else:
            conflicts.append("route" if written.route != entry.route else "form")
    shared = written.marks & entry.marks
    agrees += ["marks"] * len(shared)
    if not (written.marks <= entry.marks or entry.marks <= written.marks):
        conflicts.append("marks")
    if _sides_differ(written, entry):
        conflicts.append("side")
    if written.maker and entry.maker:
        (agrees if _one_maker(written.maker, entry.maker) else conflicts).append("maker")
    return agrees, conflicts


def _nothing_shared(written: Wording, entry: Wording) -> bool:
    """Whether both tell a size and no part of it is the same: M is not 3.0mm."""
    if not (written.sizes or written.specification) or not (entry.sizes or entry.specification):
        return False
    return not (
        written.sizes & entry.marks
        or entry.sizes & written.marks
        or written.specification.tells_as(entry.specification)
    )


def _sides_differ(written: Wording, entry: Wording) -> bool:
    lines = {line for line, _ in written.sides} & {line for line, _ in entry.sides}
    for line in lines:
        mine = {side for told, side in written.sides if told == line}
        theirs = {side for told, side in entry.sides if told == line}
        if not (mine <= theirs or theirs <= mine):
            return True
    return False


def _one_maker(written: str, listed: str) -> bool:
    from rapidfuzz import fuzz

    one, other = maker_core(written), maker_core(listed)
    if not one or not other or one in other or other in one:
        return True
    return fuzz.ratio(one, other) >= _ALIKE
