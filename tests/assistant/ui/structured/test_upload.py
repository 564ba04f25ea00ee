"""Files given to the page."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from structured_sample import ATTACK

from assistant.tasks.structuring.ui.upload import UploadError, read_upload
from assistant.tasks.structuring.ui.upload_list import upload_html
from assistant.ui.strings import Text

ZH = Text("zh")


def given(content: str | bytes) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return base64.b64encode(raw).decode()


def test_text_json_and_json_lines_are_read(tmp_path: Path) -> None:
    one = read_upload("病历.txt", given("主诉：\r\n发热"), tmp_path, ZH)
    assert [n.text for n in one.notes] == ["主诉：\r\n发热"]
    stay = {"admitted_at": "2024-03-05T08:00:00", "notes": [{"id": "a", "text": "咳嗽"}]}
    (note,) = read_upload("stay.json", given(json.dumps(stay)), tmp_path, ZH).notes
    assert note.admitted_on is not None
    lines = '{"text": "发热"}\n\n{"text": "咳嗽", "title": "病程"}\n{"text": " "}\n'
    assert [n.title for n in read_upload("n.JSONL", given(lines), tmp_path, ZH).notes] == [
        "",
        "病程",
    ]
    assert list(tmp_path.iterdir()) == []


def test_another_encoding_is_read(tmp_path: Path) -> None:
    (note,) = read_upload("旧.txt", given("发热三天".encode("gb18030")), tmp_path, ZH).notes
    assert note.text == "发热三天"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("scan.pdf", "x", "只读取"),
        ("no-suffix", "x", "只读取"),
        ("..", "x", "只读取"),
        ("a.txt", b"%PDF\0\1\2", "不是 UTF-8 或 GB 18030"),
        ("a.txt", b"\xff\xfe\xff", "不是 UTF-8 或 GB 18030"),
        ("a.json", "{", "a.json, line 1: not JSON"),
        ("a.jsonl", '{"text": "a"}\n[1]', "a.jsonl, line 2"),
        ("a.json", '{"notes": [{"id": 1}]}', "note 1: expected text"),
        ("a.txt", " \n", "没有病历"),
        ("a.jsonl", "", "没有病历"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(UploadError, match=said) as refused:
        read_upload(name, given(content), tmp_path, ZH)
    assert name in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_path_in_a_name_is_cut_and_a_long_name_shortened(tmp_path: Path) -> None:
    for name in ("../../etc/a.txt", "C:\\notes\\a.txt"):
        assert read_upload(name, given("发热"), tmp_path, ZH).name == "a.txt"
    long = read_upload("病" * 300 + ".txt", given("发热"), tmp_path, ZH)
    assert len(long.name) == 60
    assert long.name.endswith("病.txt")


def test_broken_base64_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="不是"):
        read_upload("a.txt", "?", tmp_path, ZH)


def test_the_list_shows_what_was_read_and_what_was_refused(tmp_path: Path) -> None:
    upload = read_upload("a.jsonl", given('{"text": "a"}\n{"text": "b"}'), tmp_path, ZH)
    shown = upload_html([upload], [f"{ATTACK}：不可读"], 1000, ZH)
    assert "2 份病历" in shown
    assert 'data-limit="1000"' in shown
    assert "<script" not in shown
    assert "移除全部文件" not in upload_html([], [], 1000, ZH)
