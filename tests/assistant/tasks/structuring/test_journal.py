from __future__ import annotations

from pathlib import Path

import pytest

from assistant.tasks.structuring.input import InputError, note_files, read_notes
from assistant.tasks.structuring.journal import Journal, OutputError


def test_a_stopped_output_goes_on_without_a_torn_line(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    with Journal(out, "a") as journal:
        assert journal.is_empty
        journal.add("n1", "text n1", "一\n")
        journal.add("n2", "text n2", "二\n")
    with out.open("ab") as torn:
        torn.write("半行".encode()[:4])
    again = Journal(out, "a")
    assert again.done.keys() == {"n1", "n2"}
    with again as journal:
        assert not journal.is_empty
        journal.add("n3", "text n3", "三\n")
    assert out.read_text("utf-8") == "一\n二\n三\n"


def test_a_torn_journal_repeats_the_last_note_only(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    with Journal(out, "a") as journal:
        journal.add("n1", "text n1", "一\n")
        journal.add("n2", "text n2", "二\n")
    notes = tmp_path / "o.jsonl.journal"
    notes.write_text(notes.read_text()[:-4])
    with Journal(out, "a") as journal:
        assert journal.done.keys() == {"n1"}
        journal.add("n2", "text n2", "二\n")
        journal.add("n3", "text n3", "三\n")
    assert out.read_text("utf-8") == "一\n二\n三\n"
    assert Journal(out, "a").done.keys() == {"n1", "n2", "n3"}


def test_another_output_is_not_continued(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    with Journal(out, "a") as journal:
        journal.add("n1", "text n1", "一\n")
    with pytest.raises(OutputError, match="--restart"):
        Journal(out, "b")
    with Journal(out, "b", restart=True) as journal:
        journal.add("n1", "text n1", "新\n")
    assert out.read_text("utf-8") == "新\n"
    foreign = tmp_path / "mine.txt"
    foreign.write_text("keep")
    with pytest.raises(OutputError):
        Journal(foreign, "a")
    assert foreign.read_text() == "keep"


def test_notes_out_of_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_bytes("发热\r\n咳嗽".encode())
    (tmp_path / "sub/b.jsonl").write_text(
        '{"id": "x", "text": "一", "written_at": "2024-03-05T08:00:00"}\n\n{"text": "二"}\n'
    )
    (tmp_path / "c.json").write_text(
        '{"admitted_at": "2024-03-05T08:00:00", "notes": [{"id": "n", "text": "三"}]}'
    )
    (tmp_path / "d.txt").write_bytes("胸痛".encode("gb18030"))
    (tmp_path / "ignored.png").write_bytes(b"\x89PNG")
    files = note_files(tmp_path)
    assert [f.name for f in files] == ["a.txt", "c.json", "d.txt", "b.jsonl"]
    notes = [n for f in files for n in read_notes(f, f.name)]
    assert [(n.id, n.text) for n in notes] == [
        ("a.txt", "发热\r\n咳嗽"),
        ("c.json#n", "三"),
        ("d.txt", "胸痛"),
        ("b.jsonl#x", "一"),
        ("b.jsonl#3", "二"),
    ]
    assert str(notes[1].admitted_on) == "2024-03-05"
    assert notes[3].written_at is not None


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", '{"text": "一"}\n{broken 张三\n', r"a\.jsonl, line 2"),
        ("a.jsonl", '{"note": "张三"}\n', r"a\.jsonl, line 1"),
        ("a.json", "[1, 2]", r"a\.json, line 1"),
        ("a.json", '{"notes": [3]}', r"a\.json, note 1"),
    ],
)
def test_what_is_no_note_is_said_without_its_text(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=told) as caught:
        list(read_notes(path, name))
    assert "张三" not in str(caught.value)


def test_a_lone_surrogate_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"text": "发\\ud800热"}')
    (note,) = read_notes(path, "a")
    assert len(note.text) == 3
    note.text.encode("utf-8")


def test_a_note_that_changed_is_not_taken_for_done(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, "a") as journal:
        journal.add("n1", "头痛1天", "一\n")
    again = Journal(out, "a")
    assert not again.claim("n1", "头痛1天")
    assert again.claim("n2", "头痛1天")
    assert not again.claim("n2", "头痛1天")
    with pytest.raises(OutputError, match="n1 has another text"):
        again.claim("n1", "高热2天")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(OutputError, match="is no file"):
            Journal(path, "a", restart=True)
        assert path.exists()


def test_text_of_any_usual_encoding_is_read(tmp_path: Path) -> None:
    text = "咳嗽3天，无胸痛。"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030"):
        path = tmp_path / f"{encoding}.txt"
        path.write_bytes(text.encode(encoding))
        (note,) = read_notes(path, path.name)
        assert note.text.removeprefix("\ufeff") == text


def test_a_bad_line_does_not_lose_the_others(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    lines = [
        '{"id": "a", "text": "发热"}',
        "{broken",
        '{"id": "a", "text": "x"}',
        '{"text": "咳嗽"}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_notes(path, "n")
    assert [next(found).text, next(found).text] == ["发热", "咳嗽"]
    with pytest.raises(InputError) as problem:
        next(found)
    assert str(problem.value).split("\n") == [
        "notes.jsonl, line 2: not JSON.",
        "notes.jsonl, line 3: the id is that of line 1.",
    ]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(bytes(range(256)) * 8 + b"\xff\x00" * 200)
    with pytest.raises(InputError, match="holds no text"):
        list(read_notes(path, "n"))
