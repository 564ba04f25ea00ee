from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.encoder.vocabulary import SPECIAL, Vocabulary, of_characters, read
from serving.ir.checkpoint import CheckpointError

WORDS = [
    *SPECIAL, "患", "者", "胸", "痛", "，", "。", "(", ")", "-", "!", "3", "##5", "##.", "mg", "ct",
    "##a", "e", "##r", "##c", "caf", "##e", "un", "##aff", "##able", "h", "##b", "##1", "a", "i",
]  # fmt: skip
TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("患者胸痛，。（）ＣＴ３㎎①é\u0301\u200d😀👩‍⚕️\r\n\t\x00 ﬁİßｱﾞ각"),
    ),
    max_size=60,
)


def _is_old(character: str) -> bool:
    kind = unicodedata.ucd_3_2_0.category(character)
    return kind not in ("Cn", "Cs") and kind == unicodedata.category(character)


def of(text: str, words: Vocabulary) -> list[tuple[str, str]]:
    tokens = words.tokens(text)
    return [
        (words.pieces[one], text[start:end])
        for one, start, end in zip(tokens.ids, tokens.starts, tokens.ends, strict=True)
    ]


def characters(pieces: str) -> Vocabulary:
    return Vocabulary([*SPECIAL, *pieces])


def test_every_character_is_a_token_and_unknown_ones_are_unknown() -> None:
    assert of("胸痛3天", characters("胸痛3")) == [
        ("胸", "胸"), ("痛", "痛"), ("3", "3"), ("[UNK]", "天"),
    ]  # fmt: skip


def test_white_space_and_control_characters_are_no_token() -> None:
    assert of("胸 \r\n\x00\u200b痛\u3000", characters("胸痛")) == [("胸", "胸"), ("痛", "痛")]


def test_full_width_and_upper_case_count_as_plain_and_keep_their_place() -> None:
    assert of("ＣT３", characters("ct3")) == [("c", "Ｃ"), ("t", "T"), ("3", "３")]


def test_a_character_that_folds_into_two_gives_two_tokens_of_one_place() -> None:
    assert of("5㎎x", characters("5mgx")) == [("5", "5"), ("m", "㎎"), ("g", "㎎"), ("x", "x")]


def test_marks_belong_to_the_character_before_them() -> None:
    assert of("e\u0301\u0302x", characters("ex")) == [("e", "e\u0301\u0302"), ("x", "x")]
    assert of("\u0301x", characters("x")) == [("x", "x")]
    assert of("㎎\u0301", characters("mg")) == [("m", "㎎\u0301"), ("g", "㎎\u0301")]


def test_an_emoji_made_of_several_is_covered_whole() -> None:
    found = of("👩\u200d⚕\ufe0f痛", characters("痛"))
    assert "".join(text for _, text in found) == "👩\u200d⚕\ufe0f痛"


@given(TEXTS)
def test_tokens_of_any_text_lie_in_it_in_order(text: str) -> None:
    for words in (characters("患者胸痛ct"), Vocabulary(WORDS, "wordpiece", fold_width=False)):
        tokens = words.tokens(text)
        place = 0
        for start, end in zip(tokens.starts, tokens.ends, strict=True):
            assert place <= start < end <= len(text)
            place = start


def test_wordpiece_takes_the_longest_piece_first() -> None:
    words = Vocabulary(WORDS, "wordpiece", fold_width=False)
    assert of("Unaffable", words) == [("un", "Un"), ("##aff", "aff"), ("##able", "able")]
    assert of("患者CT", words) == [("患", "患"), ("者", "者"), ("ct", "CT")]
    assert of("cafxx痛", words) == [("[UNK]", "cafxx"), ("痛", "痛")]


def test_wordpiece_cuts_as_the_reference_does(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = Vocabulary(WORDS, "wordpiece", fold_width=False)
    words.write(tmp_path)
    reference = tokenizers.BertWordPieceTokenizer(str(tmp_path / "vocab.txt"), lowercase=True)

    # The two know different versions of Unicode: characters that both have known for long.
    @given(TEXTS.map(lambda text: "".join(filter(_is_old, text))))
    def same(text: str) -> None:
        assert words.tokens(text).ids == reference.encode(text, add_special_tokens=False).ids

    same()


def test_a_vocabulary_of_texts_has_their_plain_characters_by_frequency() -> None:
    words = of_characters(["痛痛痛Ａa 胸胸\n", "稀"], least=2)
    assert words.pieces == (*SPECIAL, "痛", "a", "胸")


def test_a_written_vocabulary_reads_the_same(tmp_path: Path) -> None:
    words = characters("胸痛3")
    words.write(tmp_path)
    again = read(tmp_path, words.settings())
    assert again.pieces == words.pieces
    assert of("胸Ａ痛３", again) == of("胸Ａ痛３", words)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "is missing"), (b"\xff\xfe\x00", "UTF-8"), ("[PAD]\n痛\n".encode(), r"\[UNK\]")],
)
def test_a_broken_vocabulary_names_its_file(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        read(tmp_path)
    assert "vocab.txt" in str(caught.value)
