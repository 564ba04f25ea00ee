"""Data sets, corpus, batches and scores: what training needs before PyTorch."""

from __future__ import annotations

import gzip
import json
import pickle
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.decoding import LabelledSpan
from assistant.training import report
from assistant.training.batches import Mentions, batches, document, pieces
from assistant.training.corpus import blocks, cmekg_texts, file_texts, masked
from assistant.training.dataset import (
    DatasetInvalid,
    Example,
    Label,
    is_nested,
    read,
    split,
    types_of,
)
from assistant.training.scoring import NONE, THRESHOLDS, Scores, choose, score
from serving.encoder.vocabulary import of_characters

BIO = "胸 B_症状\n痛 I_症状\n， O\n服 O\n阿 B-药物\n司 I-药物\n  O\n\n\n咳 B_症状\n嗽 B_症状\n\n"
LINE = {"text": "左肺癌术后", "entities": [{"start": 0, "end": 3, "type": "dis"}]}


def test_an_entity_of_no_character_is_left_out(tmp_path: Path) -> None:
    record = {"text": "痛", "entities": [{"start": 1, "end": 1, "type": "a"}]}
    assert read(written(tmp_path / "a", json.dumps(record)))[0].labels == ()


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_bio_is_read(tmp_path: Path, end: str, packed: bool) -> None:
    data = BIO.replace("\n", end).encode()
    path = tmp_path / "a.bio"
    path.write_bytes(gzip.compress(data) if packed else data)
    first, second = read(path)
    assert first.text == "胸痛，服阿司 "
    assert first.labels == (Label(0, 2, "症状"), Label(4, 6, "药物"))
    assert second.labels == (Label(0, 1, "症状"), Label(1, 2, "症状"))
    assert first.annotated == {"症状", "药物"}


def test_bio_of_other_habits_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a", "左\tI-B\n肺\tE-B\n癌\tS-D\n痛\tB-S\n了\tI-T\n")
    assert read(path)[0].labels == (
        Label(0, 2, "B"), Label(2, 3, "D"), Label(3, 4, "S"), Label(4, 5, "T"),
    )  # fmt: skip


def test_json_lines_keep_nested_spans_and_odd_separators(tmp_path: Path) -> None:
    record = {
        "text": "左\u2028肺癌😀术后",
        "entities": [{"start": 0, "end": 4, "type": "dis"}, {"start": 0, "end": 3, "type": "bod"}],
    }
    text = json.dumps(record, ensure_ascii=False)
    path = written(tmp_path / "a.jsonl", f"\ufeff{text}\n\n{json.dumps(LINE)}\n")
    examples = read(path, "set/")
    assert examples[0].text == record["text"]
    assert examples[0].labels == (Label(0, 3, "set/bod"), Label(0, 4, "set/dis"))
    assert is_nested(examples)
    assert not is_nested(examples[1:])
    assert types_of(examples) == ["set/bod", "set/dis"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps(LINE) + '\n{"text": 3, "entities": []}\n', "line 2: text is no string"),
        (json.dumps(LINE) + "\n{oops\n", "line 2"),
        ('{"text": "痛", "entities": [{"start": 0, "end": 2, "type": "a"}]}', "line 1.*1 char"),
        ('{"text": "痛", "entities": [{"start": 1, "end": 0, "type": "a"}]}', "line 1"),
        ('{"text": "痛", "entities": [{"start": 0}]}', "line 1"),
        ("胸 B_症状\n痛 X_症状\n", "line 2: 'X_症状' is no tag"),
        ("", "no document"),
    ],
)
def test_a_broken_file_names_itself_and_the_line(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path / "broken.data", text)
    with pytest.raises(DatasetInvalid, match=words) as caught:
        read(path)
    assert "broken.data" in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("é\n".encode("latin-1"))
    (tmp_path / "half.gz").write_bytes(gzip.compress(BIO.encode())[:-9])
    for name in ("none", "latin", "half.gz"):
        with pytest.raises(DatasetInvalid, match=name):
            read(tmp_path / name)


@given(st.lists(st.sampled_from(["O", "B_a", "I_a", "B_b", "I_b"]), min_size=1, max_size=30))
def test_spans_of_any_tags_are_flat_and_cover_what_is_tagged(
    tmp_path_factory: pytest.TempPathFactory, tags: list[str]
) -> None:
    path = written(
        tmp_path_factory.getbasetemp() / "any.bio", "".join(f"痛 {tag}\n" for tag in tags)
    )
    (example,) = read(path)
    assert not is_nested([example])
    covered = {
        place: label.type for label in example.labels for place in range(label.start, label.end)
    }
    assert covered == {place: tag[2:] for place, tag in enumerate(tags) if tag != "O"}


def test_a_split_is_by_document_order() -> None:
    examples = [Example(str(number), (), frozenset()) for number in range(20)]
    first, last = split(examples, 0.1)
    assert [example.text for example in last] == ["18", "19"]
    assert len(first) == 18
    with pytest.raises(DatasetInvalid, match="give a --dev set"):
        split(examples[:1], 0.1)


def example(text: str, *labels: tuple[int, int, str]) -> Example:
    made = tuple(Label(*label) for label in labels)
    return Example(text, made, frozenset({"a", "b"}))


def test_labels_become_tokens_and_those_within_tokens_are_counted() -> None:
    given_text = example("㎎x痛", (0, 1, "a"), (1, 3, "b"), (0, 3, "a"))
    words = of_characters([given_text.text], least=1)
    made, lost = document(given_text, words, ["a", "b"])
    assert made.spans.tolist() == [[0, 0, 1], [1, 2, 3], [0, 0, 3]]
    assert lost == 0
    _, lost = document(example("e\u0301痛", (0, 1, "a")), words, ["a", "b"])
    assert lost == 1


@given(st.integers(1, 200), st.integers(4, 40), st.integers(0, 1_000))
def test_pieces_are_the_document_again(length: int, size: int, seed: int) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(length))
    spans = [(start, min(length, start + 3), "a") for start in range(0, length, 5)]
    words = of_characters([text], least=1)
    made, _ = document(example(text, *spans), words, ["a", "b"])
    parts = list(pieces(made, size, np.random.default_rng(seed)))
    assert np.concatenate([part.ids for part in parts]).tolist() == made.ids.tolist()
    place = 0
    for part in parts:
        assert 0 < len(part.ids) <= size
        for kind, first, last in part.spans.tolist():
            assert [kind, first + place, last + place] in made.spans.tolist()
        place += len(part.ids)


def test_batches_hold_every_document_once_with_its_spans() -> None:
    texts = ["痛" * length for length in (3, 9, 30, 4, 17, 8, 1)]
    words = of_characters(texts, least=1)
    made = [document(example(text, (0, 1, "b")), words, ["a", "b"])[0] for text in texts]
    lengths = []
    for batch in batches(made, words, 40, np.random.default_rng(1)):
        assert batch.ids.size <= 40
        assert batch.mask.sum(1).tolist() == (batch.ids != words.pad).sum(1).tolist()
        assert batch.gold.tolist() == [[row, 1, 1, 1] for row in range(len(batch.ids))]
        lengths += (batch.mask.sum(1) - 2).tolist()
    assert sorted(lengths) == sorted(map(len, texts))


@given(st.integers(0, 1_000))
def test_exchanged_mentions_are_of_their_type_and_in_place(seed: int) -> None:
    examples = [
        example("左肺癌，予化疗。", (0, 3, "a"), (5, 7, "b")),
        example("胃炎伴高血压病", (0, 2, "a"), (3, 7, "a")),
    ]
    wordings = {"a": {"左肺癌", "胃炎", "高血压病"}, "b": {"化疗"}}
    made = Mentions(examples).exchanged(examples[0], 1.0, np.random.default_rng(seed))
    for label in made.labels:
        assert made.text[label.start : label.end] in wordings[label.type]
    first, second = made.labels
    assert made.text[first.end : second.start] == "，予"
    assert made.text[second.end :] == "。"


def test_spans_in_spans_are_not_exchanged() -> None:
    nested = example("左肺癌", (0, 3, "a"), (0, 2, "b"))
    mentions = Mentions([nested, example("胃", (0, 1, "b"))])
    assert mentions.exchanged(nested, 1.0, np.random.default_rng(0)) == nested


def test_cmekg_becomes_paragraphs_and_repeats_little(tmp_path: Path) -> None:
    told = {
        f"药{number}": {"不良反应": ["恶心", f"反应{number}"], "英文名": ["drug"]}
        for number in range(6)
    }
    path = tmp_path / "cmekg.pkl"
    path.write_bytes(pickle.dumps(told))
    texts = list(cmekg_texts(path))
    assert texts[0] == "药0。不良反应：恶心、反应0。"
    assert sum("恶心" in text for text in texts) == 3
    assert not any("drug" in text for text in texts)


def test_paragraphs_of_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "第一段。\n仍是第一段。\n\n\n\n第二段。\n")
    assert list(file_texts(path)) == ["第一段。\n仍是第一段。", "第二段。"]
    (tmp_path / "b.txt").write_bytes(b"\xff")
    with pytest.raises(DatasetInvalid, match=r"b\.txt"):
        list(file_texts(tmp_path / "b.txt"))


def test_blocks_are_the_texts_again() -> None:
    texts = ["胸痛三天", "咳嗽", "发热一周余"] * 20
    words = of_characters(texts, least=1)
    rows = blocks(texts, words, 16)
    assert rows.shape[1] == 16
    assert set(rows[:, 0]) == {words.first}
    found = "".join(
        "|" if one == words.last else words.pieces[one] for one in rows[:, 1:].reshape(-1)
    )
    assert ("|".join(texts) + "|").startswith(found)
    with pytest.raises(DatasetInvalid, match="fewer than"):
        blocks(["痛"], words, 16)


def test_masks_hide_about_the_share_and_tell_where() -> None:
    texts = ["".join(chr(0x4E00 + place) for place in range(500))] * 40
    words = of_characters(texts, least=1)
    rows = blocks(texts, words, 128)
    hidden, places = masked(rows, words, np.random.default_rng(3), 0.2)
    again, same = masked(rows, words, np.random.default_rng(3), 0.2)
    assert np.array_equal(hidden, again)
    assert np.array_equal(places, same)
    flat, before = hidden.reshape(-1), rows.reshape(-1)
    changed = set(np.flatnonzero(flat != before))
    assert changed <= set(places)
    assert 0.15 < len(places) / rows.size < 0.21
    kinds = Counter(
        "mask" if flat[place] == words.mask else "same" if flat[place] == before[place] else "other"
        for place in places
    )
    assert 0.75 < kinds["mask"] / len(places) < 0.85
    assert 0.05 < kinds["same"] / len(places) < 0.15
    assert not set(before[places]) & {words.first, words.last, words.unknown}


def test_scores_are_strict() -> None:
    scores = Scores()
    gold = [Label(0, 2, "a"), Label(3, 5, "a"), Label(6, 8, "b")]
    found = [Label(0, 2, "a"), Label(3, 4, "a"), Label(6, 8, "a"), Label(9, 10, "c")]
    scores.add(gold, found, {"a", "b"})
    assert (scores.types["a"].gold, scores.types["a"].found, scores.types["a"].right) == (2, 3, 1)
    assert scores.micro().f1 == pytest.approx(2 * 1 / (3 + 3))
    assert scores.confusion == {("a", "a"): 1, ("b", "a"): 1, ("a", NONE): 1, (NONE, "a"): 1}


@given(
    st.lists(
        st.tuples(
            *(
                st.sets(
                    st.builds(
                        lambda start, size, kind: Label(start, start + size, kind),
                        st.integers(0, 6), st.integers(1, 3), st.sampled_from("ab"),
                    ),
                    max_size=8,
                )
                for _ in range(2)
            )
        ),
        max_size=5,
    )
)  # fmt: skip
def test_the_confusion_counts_every_span_of_both_sides(
    documents: list[tuple[set[Label], set[Label]]],
) -> None:
    scores = Scores()
    for gold, found in documents:
        scores.add(gold, found, {"a", "b"})
    total = scores.micro()
    pairs = scores.confusion
    assert sum(n for (row, _), n in pairs.items() if row != NONE) == total.gold
    assert sum(n for (_, column), n in pairs.items() if column != NONE) == total.found
    assert sum(n for (row, column), n in pairs.items() if row == column) == total.right
    assert 0 <= total.f1 <= 1


def test_the_threshold_with_the_best_f1_is_chosen() -> None:
    example = Example("胸痛发热咳嗽", (Label(0, 2, "a"), Label(2, 4, "a")), frozenset("a"))

    def with_scores(*scores: float) -> list[LabelledSpan]:
        places = ((0, 2), (2, 4), (4, 6))
        return [
            LabelledSpan(*place, "a", value)
            for place, value in zip(places, scores, strict=True)
            if value >= THRESHOLDS[0]
        ]

    for scores, above, f1 in (
        # Both right ones are surer than the wrong one, which 0.3 keeps out.
        ((0.9, 0.3, 0.28), 0.3, 1.0),
        # Any of 0.15 to 0.6 is as good: the half.
        ((0.9, 0.8, 0.1), 0.5, 1.0),
        # The wrong one is the surest: all three are better than it alone.
        ((0.2, 0.2, 0.9), 0.2, 0.8),
    ):
        found = with_scores(*scores)
        best = choose(
            [example.text],
            lambda text, found=found: found,  # type: ignore[misc]
            lambda find: score([example], find),
        )
        assert (best.above, best.scores.micro().f1) == (above, pytest.approx(f1))


def test_the_report_has_every_type_and_a_picture(tmp_path: Path) -> None:
    scores = Scores()
    scores.add([Label(0, 2, "a<b")], [Label(0, 2, "c")], {"a<b", "c"})
    epochs = [{"number": 1, "loss": 0.5, "f1": 0.25, "above": 0.4, "seconds": 3.0}]
    report.write(tmp_path, scores, {"seed": 1}, epochs)
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert told["types"]["a<b"]["gold"] == 1
    assert told["epochs"] == epochs
    paper = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| c | 0 | 1 |" in paper
    assert "| 1 | 0.5000 | 0.2500 | 0.4 | 3 |" in paper
    picture = ElementTree.fromstring((tmp_path / "confusion.svg").read_text(encoding="utf-8"))
    texts = [node.text for node in picture.iter() if node.tag.endswith("}text")]
    assert texts.count("a<b") == 2
    assert "1" in texts


@pytest.mark.shared
def test_published_sets_are_read_whole(shared_data: Path) -> None:
    folder = shared_data / "ner"
    counts = {
        name: len(read(folder / f"{name}.gz"))
        for name in ("cehrner_dev.bio.txt", "cmedqaner_dev.bio.txt", "yidu_s4k_train.jsonl")
    }
    assert counts == {
        "cehrner_dev.bio.txt": 44, "cmedqaner_dev.bio.txt": 175, "yidu_s4k_train.jsonl": 1_000,
    }  # fmt: skip
    assert is_nested(read(folder / "cmeee_v1_train.jsonl.gz"))
