"""Messages, frames and acknowledgements."""

from __future__ import annotations

from datetime import datetime

import hl7
import hl7_samples as made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.interop.hl7.acknowledgement import Answer, acknowledgement, escaped
from assistant.interop.hl7.message import (
    MessageInvalid,
    Separators,
    moment,
    parse,
    read,
    unescaped,
)
from assistant.interop.hl7.mllp import Frames, FrameTooLarge, framed

NOW = datetime(2026, 3, 5, 8, 0, 0)


def test_a_message_is_read_as_another_reader_reads_it() -> None:
    text = made.result("OBX|1|NM|WBC^白细胞计数||13.2|10*9/L|3.5-9.5|H|||F", "ZXX|自定义|值")
    message = read(text.encode())
    theirs = hl7.parse(text)
    assert message.kind == "ORU^R01"
    assert [s.name for s in message.segments()] == [str(s[0]) for s in theirs][1:]
    for ours, other in zip(message.segments(), list(theirs)[1:], strict=True):
        for number in range(1, len(other)):
            assert ours.raw(number) == str(other[number])


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("utf-8", "UNICODE UTF-8"),
        ("utf-8", ""),
        ("utf-8", "GBK"),
        ("gb18030", "GB 18030-2000"),
        ("gb18030", "UNICODE UTF-8"),
        ("gb18030", ""),
    ],
)
def test_both_encodings_are_told_apart_whatever_the_label_says(codec: str, label: str) -> None:
    message = read(made.message(charset=label).encode(codec))
    assert message.codec == codec
    pid = message.first("PID")
    assert pid is not None
    assert (pid.text(5, 1), pid.text(5, 2)) == ("测试", "甲")


def test_short_texts_that_fit_both_encodings_follow_the_label() -> None:
    text = "MSH|^~\\&|A|B|||20260305||ORU^R01|1|P|2.3||||||{}\rOBX|1|NM|Cr||78|{}"
    unit = "μmol/L"
    assert "μmol/L" in read(text.format("", unit).encode("utf-8")).content
    # 腋 as GBK is also a Cyrillic letter as UTF-8.
    assert "腋" in read(text.format("GB18030", "腋").encode("gb18030")).content
    assert "腋" in read(text.format("", "腋").encode("gb18030")).content


def test_gb18030_bytes_that_look_like_separators_split_nothing() -> None:
    # The second byte of each of these is | ^ ~ \\ or & less 0x20 away: only decoding first helps.
    name = "倈恀縗亅"
    assert any(b in name.encode("gb18030") for b in b"|^~\\")
    text = made.message().replace("测试^甲", name)
    pid = read(text.encode("gb18030")).first("PID")
    assert pid is not None
    assert pid.text(5) == name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("第一行\\.br\\第二行", "第一行\n第二行"),
        ("\\H\\重要\\N\\", "重要"),
        ("\\XB2E2\\", "测"),
        ("\\Z12\\x", "x"),
        ("C:\\", "C:\\"),
        ("无\\未知\\知", "无\\未知\\知"),
    ],
)
def test_escapes(written: str, meant: str) -> None:
    assert unescaped(written, Separators(), "gb18030") == meant


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_what_is_escaped_comes_back(text: str) -> None:
    assert unescaped(escaped(text, Separators()), Separators(), "utf-8") == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("20260305", "2026-03-05T00:00:00"),
        ("202603050930", "2026-03-05T09:30:00"),
        ("20260305013000.5+0000", "2026-03-05T09:30:00+08:00"),
        ("20260230", None),
        ("2026", None),
        ("rubbish", None),
        ("20260305+9999", None),
    ],
)
def test_times(text: str, shown: str | None) -> None:
    found = moment(text)
    assert (found.isoformat() if found else None) == shown


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for one in (data, b"MSH|^~\\&|" + data):
        try:
            message = read(one)
        except MessageInvalid:
            continue
        for segment in message.segments():
            for number in range(1, 30):
                segment.text(number, 2)
                segment.whole(number)
        assert (message.kind, message.control_id, message.written_at) is not None
        acknowledgement(message, Answer("error", "207", "x|y"), NOW)


MESSAGES = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda b: b"\x0b" not in b and b"\x1c" not in b),
    min_size=1,
    max_size=6,
)


@given(MESSAGES, st.data())
def test_frames_come_out_whole_however_they_come_in(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(framed(one) + b"\r\n" for one in messages)
    frames, found, at = Frames(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 50))
        found += frames.feed(stream[at : at + size])
        at += size
    assert found == messages
    assert not frames.half


def test_a_frame_that_began_anew_is_the_later_message() -> None:
    assert Frames().feed(b"\x0bbroken" + framed(b"whole")) == [b"whole"]


def test_a_frame_over_the_bound_is_refused() -> None:
    frames = Frames(limit=100)
    assert frames.feed(b"\x0b" + b"x" * 100) == []
    with pytest.raises(FrameTooLarge):
        frames.feed(b"x")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_the_acknowledgement_is_read_by_another_reader(codec: str) -> None:
    message = read(made.message(control="77|".replace("|", "\\F\\")).encode(codec))
    answer = acknowledgement(message, Answer("reject", "200", "不接收|这类"), NOW)
    theirs = hl7.parse(answer.decode(codec))
    assert str(theirs.segment("MSA")[1]) == "AR"
    assert str(theirs.segment("MSA")[2]) == "77\\F\\"
    assert str(theirs.segment("MSA")[3]) == "不接收\\F\\这类"
    assert str(theirs.segment("MSH")[9]).startswith("ACK^A01")
    assert str(theirs.segment("MSH")[5]) == "HIS"
    assert str(theirs.segment("ERR")[3]).startswith("200")


def test_enhanced_mode_gets_a_commit_acknowledgement() -> None:
    text = made.message().replace("2.5.1||||||", "2.5.1|||AL|NE||")
    assert b"MSA|CA|1" in acknowledgement(parse(text), Answer("accept"), NOW)
