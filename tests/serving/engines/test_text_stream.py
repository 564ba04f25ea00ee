from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.engines.text_stream import StopFilter, TextStream


def replacing(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", "replace")


def dropping(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", "ignore")


def cut(values: list[int], sizes: list[int]) -> list[list[int]]:
    pieces, start = [], 0
    for size in [*sizes, len(values)]:
        pieces.append(values[start : start + size])
        start += size
    return pieces


@given(
    st.text(max_size=120).filter(lambda text: "\ufffd" not in text),
    st.lists(st.integers(1, 5), max_size=200),
    st.sampled_from([replacing, dropping]),
)
def test_pieces_join_to_the_text_and_never_hold_half_a_character(text, sizes, decode) -> None:
    stream = TextStream(decode)
    pieces = [stream.push(ids) for ids in cut(list(text.encode()), sizes)]
    assert all("\ufffd" not in piece for piece in pieces)
    assert "".join(pieces) + stream.finish() == text


def test_an_unfinished_character_at_the_end_is_left_out() -> None:
    stream = TextStream(replacing)
    assert stream.push(list("肺炎".encode())[:-1]) == "肺"
    assert stream.finish() == ""


@given(
    st.text("ab停止", max_size=40), st.lists(st.text("ab停止", min_size=1, max_size=3), max_size=3)
)
def test_text_ends_before_the_first_stop_string(text, stops) -> None:
    found = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    stop = StopFilter(stops)
    out = "".join(stop.push(character) for character in text)
    assert stop.stopped == bool(found)
    if not found:
        assert out + stop.finish() == text
        return
    assert out == text[: len(out)]
    assert not any(text_stop in out for text_stop in stops)


def test_of_two_stop_strings_in_one_piece_the_earlier_wins() -> None:
    stop = StopFilter(["cd", "b"])
    assert stop.push("abcd") == "a"
    assert stop.finish() == ""


def test_what_only_looks_like_a_stop_string_comes_out() -> None:
    stop = StopFilter(["\n\n"])
    assert stop.push("a\n") == "a"
    assert stop.push("b") == "\nb"
    assert stop.push("\n") == ""
    assert stop.finish() == "\n"
