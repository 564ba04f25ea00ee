"""Lines from the base, from feedback and from the checker, and what is written of them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.record.encounter import Encounter
from assistant.record.readable import readable
from assistant.training.data import dialogues, faithful, feedback, questions
from assistant.training.data.build import DataInvalid, build, checked_manifest
from assistant.training.data.line import Line, distinct, message, texts
from knowledge.clinical.entry import Entry
from knowledge.shipped import shipped_lexicon
from knowledge.text.extraction import FindingExtractor

ENTRY = Entry.model_validate(
    {
        "name": "缺铁性贫血",
        "names": ["IDA"],
        "common": 5,
        "departments": ["血液内科"],
        "onset": ["weeks"],
        "symptoms": {"乏力": "4/1", "头晕": "4/1", "异食癖": "2/4", "心悸": "3/1"},
        "differentials": {"地中海贫血": "有家族史，铁蛋白不低"},
        "confirm": ["血常规", "铁代谢四项"],
        "management": ["治疗病因", "口服铁剂"],
    }
)


def answers(lines: list[Line]) -> str:
    return "\n".join(line.content["messages"][-1]["content"] for line in lines)


def test_questions_say_what_the_entry_says_and_where_it_comes_from() -> None:
    lines = list(questions.of_entries([ENTRY]))
    said = answers(lines)
    assert "常见乏力、头晕；可有异食癖、心悸" in said
    assert "地中海贫血（有家族史，铁蛋白不低）" in said
    assert "治疗病因；口服铁剂" in said
    assert {line.origin["entry"] for line in lines} == {"缺铁性贫血"}
    assert {"symptoms", "confirm", "management", "differentials", "departments"} == {
        line.origin["topic"] for line in lines
    }


def test_a_dialogue_asks_before_it_concludes() -> None:
    first, *_ = dialogues.of_entries([ENTRY])
    roles = [turn["role"] for turn in first.content["messages"]]
    assert roles == ["user", "assistant", "user", "assistant"]
    asked, told = first.content["messages"][1]["content"], first.content["messages"][3]["content"]
    assert asked.endswith("？")
    assert "缺铁性贫血" not in asked
    assert "缺铁性贫血" in told
    assert "铁代谢四项" in told


def test_a_disease_stands_on_one_side_of_the_split_and_nothing_twice(tmp_path: Path) -> None:
    entries = [ENTRY.model_copy(update={"name": f"病{n}", "names": ()}) for n in range(60)]
    lines = [*questions.of_entries(entries), *questions.of_entries(entries[:3])]
    made = build(lines, tmp_path / "qa", "questions", "own")
    of_split = {
        name: {json.loads(row)["origin"]["entry"] for row in (tmp_path / "qa" / name).open()}
        for name in made.counts
    }
    assert all(made.counts.values())
    assert not of_split["train.jsonl"] & (of_split["dev.jsonl"] | of_split["test.jsonl"])
    assert made.dropped > 0
    manifest = checked_manifest(tmp_path / "qa" / "train.jsonl")
    assert manifest is not None
    assert manifest["files"]["train.jsonl"]["lines"] == made.counts["train.jsonl"]
    assert manifest["licence"] == "own"


def test_nearly_the_same_is_the_same() -> None:
    said = "治疗病因，口服铁剂，餐后服用并同服维生素，必要时静脉铁剂，监测血红蛋白，查找失血原因。"
    wordings = (said, said[:-2] + "！")
    rows = [Line({"messages": [message("user", text)]}, "x", {}) for text in wordings]
    kept, dropped = distinct(rows)
    assert (len(kept), dropped) == (1, 1)


def test_sentences_of_a_signed_text_against_those_of_the_draft() -> None:
    draft = "患者因胸痛入院。予阿司匹林口服。今日出院。"
    signed = "患者因胸痛入院。予氯吡格雷75mg口服。今日出院。"
    assert list(feedback.aligned(draft, signed)) == [
        ("患者因胸痛入院。", "予氯吡格雷75mg口服。", "予阿司匹林口服。")
    ]


def exported(folder: Path, **texts: str | None) -> Path:
    row = {"prompt": "患者王秀兰，女，71岁，住院号：ZY0012345。", "kind": "discharge",
           "source": "signed", **texts}  # fmt: skip
    file = folder / "export.jsonl"
    file.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def test_a_feedback_export_becomes_deidentified_preferences(tmp_path: Path) -> None:
    file = exported(
        tmp_path,
        chosen="王秀兰血压平稳，予氨氯地平5mg。",
        rejected="王秀兰血压平稳，予硝苯地平5mg。",
    )
    ran = CliRunner().invoke(
        app, ["data", "build", "feedback", "--pairs", str(file), "--out", str(tmp_path / "prefs")]
    )
    assert ran.exit_code == 0, ran.output
    whole = "".join(path.read_text("utf-8") for path in (tmp_path / "prefs").glob("*.jsonl"))
    assert "王秀兰" not in whole
    assert "ZY0012345" not in whole
    assert "予氨氯地平5mg" in whole
    row = json.loads(whole.splitlines()[0])
    name = row["chosen"].partition("血压")[0]
    assert name in row["rejected"]
    assert name in row["prompt"][0]["content"]


def test_requests_of_a_patient_are_one_group_and_one_person() -> None:
    disguise = feedback.Disguise(b"k" * 32)
    rows = []
    for number in range(2):
        note = f"第{number}次就诊，王秀兰诉头晕。"
        texts = {
            "prompt": {"patient": {"name": "王秀兰"}, "note": note},
            "chosen": "王秀兰血压平稳。",
            "rejected": "王秀兰血压不稳。",
        }
        made = disguise(("pat-1", f"enc-{number}"), texts)
        rows.append({**made, "prompt": readable(made["prompt"])})
    lines = list(feedback.lines(rows, disguise.groups))
    assert len({line.group for line in lines}) == 1
    assert lines[0].content["chosen"] == lines[-1].content["chosen"]
    assert "王秀兰" not in json.dumps([line.content for line in lines], ensure_ascii=False)
    assert disguise.real_names == {"王秀兰"}


def test_an_export_that_still_holds_a_name_is_refused(tmp_path: Path) -> None:
    line = Line({"messages": [message("user", "王秀兰今日复诊。")]}, "x", {})
    with pytest.raises(DataInvalid, match="1 行中仍有") as told:
        build([line], tmp_path / "out", "feedback", "own", names=["王秀兰"])
    assert "王秀兰" not in str(told.value)
    assert not (tmp_path / "out").exists()


def test_a_line_of_another_form_is_told_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"a": 1}\n', encoding="utf-8")
    ran = CliRunner().invoke(
        app, ["data", "build", "feedback", "--pairs", str(file), "--out", str(tmp_path / "o")]
    )
    assert ran.exit_code == 2
    assert "no line of a feedback" in " ".join(ran.output.replace("│", " ").split())


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DataInvalid, match="写入失败"):
        build(list(questions.of_entries([ENTRY])), tmp_path, "questions", "own")


def test_the_checkers_pairs_are_wrong_on_one_side_only() -> None:
    folder = files("assistant") / "samples" / "encounters"
    encounter = Encounter.model_validate_json((folder / "pneumonia-adult.json").read_text("utf-8"))
    short = encounter.model_copy(update={"notes": encounter.notes[2:3]})
    findings = FindingExtractor(shipped_lexicon()).extract
    made = list(faithful.lines([short], findings, b"k" * 32))
    kinds = {line.origin["kind"] for line in made}
    assert "omission" in kinds
    assert kinds - {"omission"}
    for line in made:
        chosen, rejected = line.content["chosen"], line.content["rejected"]
        assert chosen != rejected
        if line.origin["kind"] == "omission":
            assert set(rejected.splitlines()) < set(chosen.splitlines())
        assert all(text for text in texts(line.content))
