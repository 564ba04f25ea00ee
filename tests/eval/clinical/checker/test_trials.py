"""Seeded errors are errors, true statements are true, and the same seed gives the same ones."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.record.note import Note
from eval.clinical.checker.elsewhere import RecordSentences, number_pattern, plain
from eval.clinical.checker.meaning import turned_negations, wrong_drugs, wrong_sides
from eval.clinical.checker.record import Record, sample_records
from eval.clinical.checker.rewording import independent_clauses, reordered, reworded, shortened
from eval.clinical.checker.substitutes import CLASSES
from eval.clinical.checker.trial import ERRORS, TRUTHS, Trial
from eval.clinical.checker.trials import SEEDERS, make_trials
from eval.clinical.checker.values import wrong_dates, wrong_numbers, wrong_units, wrong_use
from eval.clinical.discharge.generator import generate

NOTE = (
    "患者3天前发热，体温最高39.2℃，无胸痛、咯血。左下肺可闻及湿啰音，右肺呼吸音清。"
    "2026-03-05予头孢曲松2.0g静脉滴注每日1次。白细胞13.2×10^9/L，血红蛋白128g/L。病理征阴性。"
)


def record(*texts: str, **known: object) -> Record:
    notes = tuple(Note(id=f"n{n}", text=text) for n, text in enumerate(texts))
    return Record("r", notes, **known)  # type: ignore[arg-type]


def made(seeder: object, about: Record, tries: int = 40) -> list[Trial]:
    return [
        trial
        for seed in range(tries)
        for segment in about.segments
        for trial in seeder(about, segment, random.Random(seed))  # type: ignore[operator]
    ]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [*sample_records(), *(known.record() for known in generate(20))]


@pytest.fixture(scope="module")
def trials(records: list[Record]) -> list[Trial]:
    return make_trials(records, seed=3)


def test_there_are_enough_of_every_type(trials: list[Trial]) -> None:
    counts = Counter(trial.kind for trial in trials)
    assert set(counts) == {*ERRORS, *TRUTHS}
    wrong = sum(not trial.true for trial in trials)
    assert wrong >= 500
    assert sum(trial.true for trial in trials) == pytest.approx(wrong, abs=5)
    assert min(counts[kind] for kind in ERRORS) >= 20


def test_the_seed_decides(records: list[Record]) -> None:
    few = records[:3]
    assert make_trials(few, seed=3) == make_trials(few, seed=3) != make_trials(few, seed=4)


def test_every_error_differs_from_its_source_where_it_says(trials: list[Trial]) -> None:
    exchanged = [t for t in trials if not t.true and t.at >= 0]
    assert len(exchanged) > 300
    for trial in exchanged:
        end = trial.at + len(trial.after)
        assert trial.text != trial.source
        assert trial.text[trial.at : end] == trial.after
        assert trial.text[: trial.at] + trial.before + trial.text[end:] == trial.source


def test_sources_stand_in_their_record(records: list[Record], trials: list[Trial]) -> None:
    texts = {(r.id, n.id): n.text for r in records for n in r.notes}
    for trial in trials:
        if trial.kind == "wrong_patient" and trial.text == trial.source:
            assert all(
                trial.source not in n.text for r in records if r.id == trial.record for n in r.notes
            )
            continue
        text = texts[trial.record, trial.span.note_id]
        assert text[trial.span.start : trial.span.end] == trial.source


def test_no_statement_comes_twice(trials: list[Trial]) -> None:
    wrong = Counter((t.record, t.text) for t in trials if not t.true)
    assert max(wrong.values()) == 1


def test_a_wrong_number_stands_nowhere_with_its_words() -> None:
    for trial in made(wrong_numbers, record(NOTE)):
        assert not RecordSentences(record(NOTE).segments).holds(trial.text)
        assert trial.kind in ("number", "dose")
        assert trial.before in ("3", "39.2", "2.0", "13.2", "128")


def test_a_number_that_the_record_tells_elsewhere_is_no_error() -> None:
    about = record("入院时血红蛋白98g/L。", "复查血红蛋白99g/L。")
    values = {t.after for t in made(wrong_numbers, about, 200)}
    assert values
    assert not {"98", "99"} & values


def test_numbers_of_lists_dates_and_powers_are_left_alone() -> None:
    about = record("病例特点：1.男性。2.慢性病程。2026-03-05入院。血小板×10^9/L。每日2次排便。")
    assert made(wrong_numbers, about) == []


def test_a_dose_belongs_to_a_drug() -> None:
    kinds = {t.before: t.kind for t in made(wrong_numbers, record(NOTE), 100)}
    assert kinds["2.0"] == "dose"
    assert kinds["13.2"] == "number"
    uses = {(t.before, t.after) for t in made(wrong_use, record(NOTE), 100)}
    assert ("每日1次", "每日2次") in uses
    assert ("每日1次", "每晚1次") not in uses, "it may be the same"
    assert all(t.kind == "dose" for t in made(wrong_use, record(NOTE)))


def test_units_and_dates() -> None:
    assert {t.before for t in made(wrong_units, record(NOTE), 200)} >= {"g/L", "10^9/L"}
    for trial in made(wrong_dates, record(NOTE), 100):
        assert trial.before == "2026-03-05"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", trial.after)


def test_a_side_that_is_told_of_both_is_no_error() -> None:
    assert {t.text[t.at : t.at + 2] for t in made(wrong_sides, record(NOTE), 50)} == {
        "右下",
        "左肺",
    }
    both = record("左下肢水肿。", "双下肢水肿。")
    assert made(wrong_sides, both) == []


def test_a_negation_is_turned_only_where_it_makes_a_lie() -> None:
    texts = {t.text for t in made(turned_negations, record(NOTE), 60)}
    assert "病理征阳性" in texts
    assert any("有胸痛" in text for text in texts)
    before = record("入院前胸痛。", "今日无胸痛。")
    assert made(turned_negations, before) == [], "it was so at another time"


def test_a_drug_is_exchanged_for_one_of_its_class() -> None:
    after = {t.after for t in made(wrong_drugs, record(NOTE), 100)}
    (names,) = [c for c in CLASSES if "头孢曲松" in c]
    assert after
    assert after <= set(names) - {"头孢曲松"}
    named = record(NOTE, f"曾用{'、'.join(names)}。")
    assert made(wrong_drugs, named) == []


@pytest.mark.parametrize(
    "text",
    ["血压平稳，其后下降", "术后无发热，切口干燥", "胸部CT（平扫），未见异常", "无压痛，长约2cm"],
)
def test_clauses_that_lean_on_another_stay_in_their_place(text: str) -> None:
    assert independent_clauses(text) is None


def test_a_heading_stays_in_front() -> None:
    text = "体格检查：心律齐，腹软无压痛，双肺呼吸音清"
    dice = random.Random(1)
    turned = reordered(text, dice)
    assert turned is not None
    assert turned != text
    assert turned.startswith("体格检查：")
    assert sorted(turned.removeprefix("体格检查：").split("，")) == sorted(
        text.removeprefix("体格检查：").split("，")
    )
    cut = shortened(text, dice)
    assert cut is not None
    assert len(cut.split("，")) == 2


def test_synonyms_are_not_taken_where_they_mean_something_else() -> None:
    dice = random.Random(0)
    found = {reworded("大便每日1次", dice) for _ in range(20)}
    assert found == {None}
    drug = {reworded("头孢曲松2g静脉滴注每日1次", dice) for _ in range(50)}
    assert "头孢曲松2g静滴qd" in drug


@given(st.integers(0, 9999), st.integers(0, 99))
def test_a_number_is_found_with_any_zeros_and_nothing_else(whole: int, cents: int) -> None:
    number = f"{whole}.{cents:02}"
    pattern = number_pattern(number)
    assert pattern.search(plain(f"值{number}0mg"))
    assert not pattern.search(plain(f"值1{number}mg"))
    assert not pattern.search(plain(f"值{number}1mg"))


@given(
    st.text(alphabet="左右无有见未发热12.0mg月日，。：头孢曲松（）予×^/L℃、可闻及 ", max_size=60)
)
def test_any_text_gives_sound_trials(text: str) -> None:
    about = record(text)
    for seed in range(3):
        dice = random.Random(seed)
        for segment in about.segments:
            for seeder in SEEDERS:
                for trial in seeder(about, segment, dice):
                    assert trial.text != trial.source
                    assert text[trial.span.start : trial.span.end] == trial.source
