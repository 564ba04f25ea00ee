from __future__ import annotations

import pytest

from assistant.tasks.structuring.lexicon_recognizer import LexiconRecognizer
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.term_table import parse_terms
from knowledge.text.terms import find_terms, load_terms


def test_the_shipped_terms_load() -> None:
    assert len(load_terms()) > 1_000
    assert load_terms().concept("WBC") == "白细胞计数"


@pytest.mark.parametrize("line", ["什么\t名", "test\t", "test"])
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(parse_terms(f"# head\n{line}\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PT 12.3秒", ["PT"]),
        ("PTA术后", []),
        ("T 38.5℃ P 80次/分", ["T", "P"]),
        ("T细胞，T波", []),
        ("ALT 45U/L，AST 30U/L", ["ALT", "AST"]),
        ("SALT试验", []),
    ],
)
def test_abbreviations_are_whole_words(text: str, found: list[str]) -> None:
    assert [text[m.start : m.end] for m in find_terms(text)] == found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("右肺上叶周围型腺癌", ("右肺上叶周围型腺癌", EntityType.DISEASE)),
        ("全麻下行腹腔镜下胆囊切除术，", ("腹腔镜下胆囊切除术", EntityType.PROCEDURE)),
        ("左侧股骨颈骨折", ("左侧股骨颈骨折", EntityType.DISEASE)),
        ("右下腹压痛", ("右下腹压痛", EntityType.SIGN)),
        ("予利伐沙班抗凝", ("利伐沙班", EntityType.DRUG)),
        ("双侧颈部淋巴结", ("双侧颈部淋巴结", EntityType.BODY_PART)),
    ],
)
def test_what_no_list_has_is_found_by_its_form(text: str, wanted: tuple[str, EntityType]) -> None:
    found = {(text[s.start : s.end], s.type) for s in LexiconRecognizer().recognise(text)}
    assert wanted in found


def test_an_operation_that_is_none() -> None:
    assert not any(
        s.type is EntityType.PROCEDURE
        for s in LexiconRecognizer().recognise("术后恢复好，手术顺利，技术")
    )


def test_spans_are_in_order_and_distinct() -> None:
    found = LexiconRecognizer().recognise("右肺上叶腺癌，肝、脾未触及，发热3天")
    assert found == sorted(found, key=lambda s: (s.start, -s.end, s.type))
    assert len(set(found)) == len(found)


def test_a_span_cannot_be_empty() -> None:
    with pytest.raises(ValueError, match="begin"):
        TypedSpan(3, 3, EntityType.DRUG)
