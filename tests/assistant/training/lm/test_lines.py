"""What is read from lines, what is kept from training, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.training.data import build
from assistant.training.data.line import Line, message
from assistant.training.dataset import DatasetInvalid
from assistant.training.lm import screening
from assistant.training.lm.lines import Row, read, texts_of, without

PAIR = {"prompt": "血压高怎么办？", "chosen": "先复测，再就医。", "rejected": "不用管。"}


def lines_of(folder: Path, *rows: Any) -> Path:
    file = folder / "lines.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def test_every_form_of_a_line_is_read(tmp_path: Path) -> None:
    chat = {"messages": [message("user", "发热怎么办？"), message("assistant", "多饮水，就医。")]}
    prompt = {"input": "找出实体：咳嗽", "target": "症状：咳嗽", "task_dataset": "x"}
    file = lines_of(tmp_path, chat, prompt, PAIR)
    rows = read([file], "sft")
    assert [row.messages[-1]["content"] for row in rows] == [
        "多饮水，就医。",
        "症状：咳嗽",
        "先复测，再就医。",
    ]
    assert [row.place for row in rows] == [f"lines.jsonl:{n}" for n in (1, 2, 3)]


def test_preferences_for_dpo_and_kto(tmp_path: Path) -> None:
    liked = {"prompt": [message("user", "写一句。")], "completion": "好。", "label": True}
    file = lines_of(tmp_path, PAIR, liked)
    (pair,) = read([file], "dpo")
    assert (pair.chosen, pair.rejected) == ("先复测，再就医。", "不用管。")
    assert [row.wanted for row in read([file], "kto")] == [True, False, True]


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    liked = {"prompt": "写一句。", "completion": "好。", "label": True}
    with pytest.raises(DatasetInvalid, match="只有一类"):
        read([lines_of(tmp_path, liked, liked)], "kto")


@pytest.mark.parametrize("row", [{"messages": []}, {"messages": "x"}, {"input": 3}, [], {"a": 1}])
def test_a_line_of_no_known_form_is_told_with_its_place(tmp_path: Path, row: Any) -> None:
    with pytest.raises(DatasetInvalid, match=r"lines\.jsonl:1 不是 sft"):
        read([lines_of(tmp_path, row)], "sft")


def test_text_to_go_on_reading(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("第一段。\n续。\n\n第二段。\n", encoding="utf-8")
    assert [row.text for row in read([tmp_path], "pretrain")] == ["第一段。\n续。", "第二段。"]


def test_what_an_evaluation_set_holds_is_left_out(tmp_path: Path) -> None:
    vignette = (
        "患者男，58岁，突发胸痛3小时，向左肩放射，伴大汗，含服硝酸甘油不缓解，心电图ST段抬高，"
        "既往高血压病史十年。"
    )
    held = lines_of(tmp_path, {"case": f"{vignette}最可能的诊断是什么？", "gold": "心肌梗死"})
    rows = [Row("1", text=f"问：{vignette}"), Row("2", text="高血压患者宜低盐饮食。")]
    kept, left_out = without(rows, texts_of(held))
    assert [row.place for row in kept] == ["2"]
    assert left_out == 1


def test_the_form_of_a_task_is_no_overlap() -> None:
    """Every line of a task has its list of labels; only what a line says of its own counts."""
    asked = ["头痛", "眩晕", "腹泻", "咳血", "心悸", "黄疸"]
    form = "\n这个搜索词是什么意图？选项：" + "，".join(f"第{n}种意图的名称" for n in range(9))
    every = [f"{a}之后又{b}，是什么毛病" + form for a in asked for b in asked]
    rows = [Row(str(n), text=text) for n, text in enumerate(every)]
    apart = [f"{one}三年的老人怎么养" + form for one in asked]
    kept, left_out = without(rows, [*apart, every[7]])
    assert left_out == 1
    assert [row.place for row in kept] == [str(n) for n in range(36) if n != 7]


def test_lines_with_a_name_are_refused_unless_their_manifest_tells_otherwise(
    tmp_path: Path,
) -> None:
    named = {"messages": [message("user", "患者王秀兰，女，71岁，电话13812345678。"),
                          message("assistant", "好。")]}  # fmt: skip
    file = lines_of(tmp_path, named)
    assert not screening.facts_of([file])[0]["deidentified"]
    with pytest.raises(DatasetInvalid, match=r"name 1、phone 1") as told:
        screening.refuse_named(read([file], "sft"))
    assert "王秀兰" not in str(told.value)
    made = build.build([Line(named, f"{n}", {}) for n in range(1)], tmp_path / "made", "x", "own")
    (split,) = (name for name, count in made.counts.items() if count)
    assert screening.facts_of([tmp_path / "made" / split])[0]["deidentified"]
    # A line that was added afterwards is not vouched for.
    with (tmp_path / "made" / split).open("a", encoding="utf-8") as more:
        more.write("\n")
    assert not screening.facts_of([tmp_path / "made" / split])[0]["deidentified"]
