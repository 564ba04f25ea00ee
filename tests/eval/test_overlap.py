"""What a test set shares with training texts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from promptcblue_sets import write_lines

from eval.errors import InputError
from eval.overlap import Text, compare, fold, read_texts

SENTENCE = "患者三月前无明显诱因出现右下肢行走后疼痛，休息后可缓解。"


def texts(*contents: str, choices: tuple[str, ...] = ()) -> list[Text]:
    return [Text(str(place), "t", content, choices) for place, content in enumerate(contents)]


def test_the_same_text_is_exact_whatever_its_width_and_spaces() -> None:
    found = compare(texts("ＣＲＰ 升高，考虑感染。"), texts("CRP升高, 考虑感染", "别的话"))
    assert [match.exact for match in found.matches] == [True, False]
    assert found.matches[0].covered == 1.0
    assert found.train_names == {"0"}
    assert len(found.flagged) == 1


def test_a_sentence_inside_another_prompt_is_found() -> None:
    found = compare(
        texts("无关的文字", f"抽取实体：\n{SENTENCE}"), texts(f"{SENTENCE}\n问题：有哪些实体？")
    )
    (match,) = found.matches
    assert not match.exact
    assert match.covered > 0.7
    assert match.nearest == "1"
    assert match.touched


def test_a_short_line_counts_as_a_whole_alone() -> None:
    test = texts("归一化：\n左胫骨骨折", "归一化：\n左胫骨骨折术后")
    found = compare(texts("左胫骨骨折"), test)
    first, second = found.matches
    assert first.covered > 0.5
    assert second.covered == 0


def test_the_wording_of_the_task_does_not_count() -> None:
    wording = "请从下面的病历句子中找出全部的临床发现实体并写出"
    rng = random.Random(1)
    own = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(30)) for _ in range(60)]
    many = [f"{wording}\n{content}" for content in own]
    found = compare(texts(*many[:40]), texts(*many[40:]))
    assert not found.flagged
    assert all(match.covered == 0 for match in found.matches)


def test_lists_of_choices_do_not_count() -> None:
    choices = ("胫骨骨折", "腓骨骨折", "髌骨骨折", "股骨颈骨折")
    listed = "，".join(choices)
    found = compare(
        texts(f"桡骨骨裂\n选项：{listed}", choices=choices),
        texts(f"左膝外伤\n选项：{listed}", choices=choices),
    )
    assert found.matches[0].covered <= 0.34
    assert not found.flagged


def test_counts_by_group() -> None:
    test = [Text("1", "甲", SENTENCE), Text("2", "乙", "完全不同的内容在这里")]
    data = compare(texts(SENTENCE), test).to_json()
    assert data["groups"]["甲"]["exact"] == 1
    assert data["groups"]["乙"]["overlapping"] == 0
    assert (data["exact"], data["overlapping"], data["test_texts"]) == (1, 1, 2)


def test_texts_are_read_from_the_usual_fields(tmp_path: Path) -> None:
    rows = [{"text": "甲"}, {"input": "乙", "task_dataset": "MedDG"}]
    path = write_lines(tmp_path / "a.jsonl", rows)
    assert [text.content for text in read_texts(path)] == ["甲", "乙"]
    with pytest.raises(InputError, match="field 'text'"):
        read_texts(path, "text")
    other = write_lines(tmp_path / "b.jsonl", [{"words": "甲"}])
    with pytest.raises(InputError, match="none of the fields"):
        read_texts(other)
    assert read_texts(other, "words")[0].content == "甲"


def test_folding() -> None:
    assert fold("Ａ b，（Ｃ）\n") == "abc"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("task", "train"),
    [
        ("CMeEE-V2", "ner/cmeee_v1_train.jsonl.gz"),
        ("CHIP-CDN", "normalization/chip_cdn_train.jsonl.gz"),
    ],
)
def test_known_leaks_are_found(shared_data: Path, task: str, train: str) -> None:
    mix = read_texts(shared_data / "promptcblue" / "train_mix.jsonl.gz")
    test = [text for text in mix if text.group == task][:150]
    found = compare(read_texts(shared_data / train), test)
    assert len(found.flagged) / len(test) > 0.95
