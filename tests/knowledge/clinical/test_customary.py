"""Names that follow from customary words."""

from __future__ import annotations

from knowledge.clinical.customary import customary_words, with_customary_names
from knowledge.clinical.entry import Entry, shipped_entries
from knowledge.text.folding import fold


def entry(name: str, *names: str) -> Entry:
    return Entry(name=name, names=names, common=3)


def names(*entries: Entry) -> dict[str, tuple[str, ...]]:
    return {one.name: one.names for one in with_customary_names(entries)}


def test_customary_words_give_names() -> None:
    assert "慢性心衰" in names(entry("慢性心力衰竭"))["慢性心力衰竭"]
    assert "急性脑梗" in names(entry("脑梗死", "急性脑梗死"))["脑梗死"]


def test_a_name_of_another_entry_or_of_two_is_nobodys() -> None:
    told = names(entry("急性心肌梗死"), entry("心梗后状态", "急性心梗"))
    assert "急性心梗" not in told["急性心肌梗死"]
    told = names(entry("甲心力衰竭"), entry("乙", "甲心衰竭"))
    assert all("甲心衰" not in own for own in told.values())


def test_the_names_of_the_base_that_ships_stay_apart() -> None:
    entries = with_customary_names(shipped_entries())
    owners: dict[str, str] = {}
    for one in entries:
        for name in {fold(n) for n in (one.name, *one.names)}:
            assert owners.setdefault(name, one.name) == one.name, name
    assert all(full not in others for full, others in customary_words())
