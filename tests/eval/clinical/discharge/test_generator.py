"""The generator's encounters hold together, and what is known of them stands in them."""

from __future__ import annotations

import re

import pytest

from assistant.record.encounter import Encounter
from assistant.tasks.discharge.header import header
from eval.clinical.checker.borrowed import claimed
from eval.clinical.discharge.draw import draw, filled, flag
from eval.clinical.discharge.generator import COUNT, generate
from eval.clinical.discharge.known import KnownEncounter
from eval.clinical.discharge.story import stories

KNOWN = generate()


def everything(known: KnownEncounter) -> str:
    return "\n".join(note.text for note in known.encounter.all_notes())


def test_at_least_thirty_of_ten_specialities() -> None:
    assert len(KNOWN) == COUNT >= 30
    assert len({known.speciality for known in KNOWN}) >= 10
    assert len({known.encounter.id for known in KNOWN}) == len(KNOWN)


def test_the_seed_decides() -> None:
    assert generate(5, seed=7) == generate(5, seed=7)
    assert generate(5, seed=7) != generate(5, seed=8)
    assert generate(3) == KNOWN[:3]


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.encounter.id)
def test_what_is_known_stands_in_the_record(known: KnownEncounter) -> None:
    text = everything(known)
    assert "<" not in text
    assert {fact.section for fact in known.facts} == {
        "discharge_diagnosis",
        "admission_condition",
        "hospital_course",
        "discharge_condition",
        "discharge_orders",
    }
    for fact in known.facts:
        assert fact.is_in(text), fact
    for trap in known.traps:
        assert trap.quote in text, trap
    assert {"earlier_stay", "family"} <= {trap.kind for trap in known.traps}


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.encounter.id)
def test_the_stay_is_consistent(known: KnownEncounter) -> None:
    encounter = known.encounter
    admitted, left = encounter.admitted_at, encounter.discharged_at
    assert admitted is not None
    assert left is not None
    for note in encounter.notes:
        assert note.written_at is not None
        assert admitted <= note.written_at <= left
    for medication in encounter.medications:
        assert medication.start is not None
        assert medication.stop is not None
        assert admitted.date() <= medication.start <= medication.stop
        assert medication.discharge == (medication.start == left.date())
    assert header(encounter).pending_results == [
        row.name for row in encounter.observations if row.status == "pending"
    ]
    assert Encounter.model_validate_json(encounter.model_dump_json()) == encounter


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.encounter.id)
def test_results_in_the_notes_are_those_of_the_rows(known: KnownEncounter) -> None:
    rows = {(row.name, row.value) for row in known.encounter.observations}
    names = {name for name, _ in rows}
    notes = "\n".join(note.text for note in known.encounter.notes)
    for name in names:
        for match in re.finditer(rf"(?<![游离化]){re.escape(name)}(\d+(?:\.\d+)?)", notes):
            assert (name, match[1]) in rows, match[0]


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.encounter.id)
def test_claims_of_an_earlier_stay_have_their_place(known: KnownEncounter) -> None:
    trials = list(claimed(known.record()))
    assert {trial.kind for trial in trials} == {"earlier_stay", "wrong_patient"}
    for trial in trials:
        assert trial.source in everything(known)
        assert trial.of_stay == (trial.kind == "earlier_stay")


def test_flags_follow_the_reference() -> None:
    assert [flag(v, "3.5-9.5") for v in (3.4, 3.5, 9.5, 9.6)] == ["low", "normal", "normal", "high"]


@pytest.mark.parametrize("story", stories(), ids=lambda s: s.id)
def test_a_moved_result_keeps_its_flag(story: object) -> None:
    for variant in range(5):
        drawn = draw(story, variant, seed=9)  # type: ignore[arg-type]
        for key, (_, _, reference, given) in drawn.story.labs.items():
            for day, value in given.items():
                assert flag(drawn.labs[key][day], reference) == flag(value, reference)


def test_a_place_without_a_word_is_an_error() -> None:
    assert filled("<side>侧", {"side": "左"}) == "左侧"
    with pytest.raises(KeyError):
        filled("<sied>侧", {"side": "左"})
