"""A model's answer, read leniently."""

from __future__ import annotations

import json

from assistant.tasks.differential.reply import read_reply


def test_left_overs_of_json_are_taken_off_the_texts() -> None:
    entry = {"name": "肺炎", "supporting": ["无发热',", "],", " ", "双肺（+）"], "tests": "胸部CT"}
    (read,), warnings = read_reply(json.dumps({"diagnoses": [entry]}))
    assert read.supporting == ["无发热", "双肺（+）"]
    assert read.tests == ["胸部CT"]
    assert warnings == []


def test_an_answer_that_was_cut_off_gives_what_it_has() -> None:
    (read,), _ = read_reply('{"diagnoses": [{"name": "肺炎", "supporting": ["咳嗽"')
    assert (read.name, read.supporting) == ("肺炎", ["咳嗽"])


def test_an_answer_of_another_form_is_refused_with_a_warning() -> None:
    entries, warnings = read_reply("我认为是肺炎。")
    assert entries == []
    assert warnings
