"""The steps between pixels and text, each by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from drawing import page
from hypothesis import given
from hypothesis import strategies as st

from serving.hardware import cpu
from serving.ocr import arithmetic, ink, models
from serving.ocr.alphabet import FIGURES, MEASURES, folded, mended, prior, without_rule
from serving.ocr.detection import boxes_of, sides
from serving.ocr.network import Numbers
from serving.ocr.reader import Ocr
from serving.ocr.reading_order import order
from serving.ocr.recognition import Reading, Recogniser, choices, decode, measure
from serving.ocr.second_reading import CONTESTED, read_again, unruled
from serving.ocr.upright import Posture

LETTERS = ("", "a", "b", "c")


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


@given(st.text("abc", max_size=20), st.data())
def test_decoding_undoes_repeating_and_parting(text: str, data: st.DataObject) -> None:
    columns: list[int] = []
    for place, character in enumerate(text):
        if place and text[place - 1] == character:
            columns.append(0)
        columns += [0] * data.draw(st.integers(0, 2))
        columns += [LETTERS.index(character)] * data.draw(st.integers(1, 3))
    columns += [0] * data.draw(st.integers(1, 3))
    made = decode(np.array(columns), np.full(len(columns), 0.9), LETTERS, 1 / len(columns))
    assert made.text == text
    assert len(made.ends) == len(made.sureness) == len(text)
    assert list(made.ends) == sorted(made.ends)
    assert all(0 < end <= 1 for end in made.ends)


def test_a_box_is_larger_than_what_the_map_shows_and_askew_as_it_is() -> None:
    text = np.zeros((200, 400), np.float32)
    text[50:62, 100:300] = 0.9
    text[150:152, 10:12] = 0.9
    (found,) = boxes_of(text)
    along, across = sides(found)
    assert 205 < along < 235
    assert 15 < across < 45
    assert found.mean(axis=0) == pytest.approx((200, 56), abs=2)


def test_rows_of_a_page_a_little_askew_stay_rows() -> None:
    cells = [(column, row) for row in range(5) for column in range(4)]
    boxes = [box(200 * x, 40 * y + 8 * x, 200 * x + 90, 40 * y + 8 * x + 25) for x, y in cells]
    shuffled = list(np.random.default_rng(1).permutation(len(boxes)))
    found = order([boxes[at] for at in shuffled])
    assert [int(shuffled[at]) for at in found] == list(range(len(boxes)))


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("250m1:2.25g", "250ml:2.25g"),
        ("5m|/支", "5ml/支"),
        ("（中)", "（中）"),
        ("(中）", "（中）"),
        ("(中)", "(中)"),
        ("μmo1/L", "μmol/L"),
        ("m1", "m1"),
        ("5m12", "5m12"),
        ("13.5", "13.5"),
    ],
)
def test_readings_that_cannot_be_meant_are_mended(read: str, meant: str) -> None:
    assert mended(read) == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [("96.00]", "96.00"), ("1|", "1"), ("[1]", "[1]"), ("甲]", "甲]")],
)
def test_the_rule_of_a_table_is_no_part_of_a_figure(read: str, meant: str) -> None:
    assert without_rule(read) == meant


@given(st.text())
def test_mending_keeps_places(text: str) -> None:
    assert len(mended(text)) == len(text)


def test_the_simplified_character_is_likelier() -> None:
    usual, rare, roman = prior(["奥", "奧", "Ⅱ"])
    assert usual == roman == 0
    assert rare < 0
    assert folded("（１ ２）") == "(12)"


@given(
    st.integers(0, 3),
    st.booleans(),
    st.floats(-0.3, 0.3),
    st.tuples(st.integers(20, 900), st.integers(20, 900)),
)
def test_a_posture_keeps_the_page_inside(
    quarters: int, mirrored: bool, slope: float, size: tuple[int, int]
) -> None:
    matrix, (width, height) = Posture(quarters, mirrored, slope).matrix(*size)
    assert (np.linalg.det(matrix) < 0) == mirrored
    for x in (0, size[0]):
        for y in (0, size[1]):
            across, down, _ = matrix @ (x, y, 1)
            assert -1 <= across <= width + 1
            assert -1 <= down <= height + 1


def test_quarter_turns_are_those_of_the_pixels() -> None:
    pixels = np.arange(6).reshape(2, 3)
    for quarters in range(4):
        matrix, size = Posture(quarters).matrix(3, 2)
        turned = np.rot90(pixels, quarters)
        assert size == turned.shape[::-1]
        for y in range(2):
            for x in range(3):
                across, down, _ = matrix @ (x + 0.5, y + 0.5, 1)
                assert turned[int(down), int(across)] == pixels[y, x]


def test_a_seal_goes_and_print_under_it_and_red_numbers_stay() -> None:
    from PIL import Image, ImageDraw, ImageFont

    plain = page(["Total 1615.25", "Second 88.10"])
    picture = Image.fromarray(plain).convert("RGBA")
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    ImageDraw.Draw(layer).ellipse((60, 30, 260, 200), outline=(220, 30, 40, 170), width=12)
    sealed = Image.alpha_composite(picture, layer).convert("RGB")
    face = ImageFont.load_default(34)
    ImageDraw.Draw(sealed).text((400, 500), "No 5512", font=face, fill=(200, 20, 30))
    cleaned = ink.without_seals(np.asarray(sealed)).astype(int)
    red = cleaned[..., 0] - cleaned[..., 1:].max(axis=2) > 45
    assert red[:300].mean() < 0.0005
    assert red[480:].mean() > 0.002
    black = plain.max(axis=2) < 60
    assert np.median(cleaned[:300][black[:300]].mean(axis=1)) < 60


def test_thin_and_pale_letters_of_a_seal_go_with_it() -> None:
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    plain = page(["Total 1615.25", "Second 88.10"])
    picture = Image.fromarray(plain).convert("RGBA")
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    draw.ellipse((60, 30, 300, 200), outline=(205, 35, 40, 160), width=6)
    draw.text((110, 95), "HOSPITAL SEAL", font=ImageFont.load_default(17), fill=(205, 35, 40, 160))
    sealed = Image.alpha_composite(picture, layer.filter(ImageFilter.GaussianBlur(1.2)))
    cleaned = ink.without_seals(np.asarray(sealed.convert("RGB"))).astype(int)
    assert (cleaned[..., 0] - cleaned[..., 1:].max(axis=2) > 25).mean() < 0.0001
    # Neither does a grey edge stay where the seal was.
    paper = plain.min(axis=2) > 250
    assert (cleaned.mean(axis=2)[paper] < 150).mean() < 0.001


def test_shadow_is_taken_off_and_even_light_is_left() -> None:
    assert ink.evenly_lit(page()) is not None
    shaded = (page() * np.linspace(1, 0.4, 800)[None, :, None]).astype(np.uint8)
    lit = ink.evenly_lit(shaded)
    assert np.percentile(lit.reshape(-1, 3), 10) > 200
    assert (ink.evenly_lit(page()) == page()).all()


class _Recogniser(Recogniser):
    def __init__(self, second: Reading) -> None:
        self.second = second

    def read(self, lines: object, *, others: bool = False) -> list[Reading]:
        assert others
        return [self.second] * len(list(lines))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("second", "text", "confidence"),
    [("36.50", "36.50", 0.9), ("36.80", "36.80", CONTESTED)],
)
def test_a_doubtful_number_is_read_again(second: str, text: str, confidence: float) -> None:
    readings = [Reading("36.50", (0.9, 0.9, 0.9, 0.6, 0.9)), Reading("药品", (0.6, 0.6))]
    again = _Recogniser(Reading(second, (0.9,) * 5))
    read_again(page(), [box(60, 60, 300, 100)] * 2, readings, again)
    assert (readings[0].text, readings[0].confidence) == (text, confidence)
    # What was read first is among what sums may choose from.
    assert "36.50" in readings[0].others
    assert readings[1] == Reading("药品", (0.6, 0.6))


def test_rules_of_a_table_are_no_part_of_a_narrow_cell() -> None:
    line = np.full((48, 60, 3), 250, np.uint8)
    line[10:38, 20:24] = line[10:14, 30:50] = 20  # the strokes of 1 and of a bar
    ruled = line.copy()
    ruled[:, 56:58] = ruled[45:47] = 20
    assert (unruled(ruled) == line).all()
    assert unruled(line) is line


def _columns(*likely: dict[str, float]) -> np.ndarray:
    """How likely none and each figure is, column by column."""
    rows = [[one.get(each, 0.0) for each in ("", *FIGURES)] for one in likely]
    return np.array(rows, np.float32)


def test_a_figure_may_be_another_or_none_or_overlooked() -> None:
    characters = ("", *FIGURES)
    read = np.array([characters.index(one) for one in ("8", "", "0", "")])
    found = choices(
        read,
        _columns({"8": 0.9, "3": 0.08}, {"": 0.9, ".": 0.05}, {"0": 0.5, "": 0.4}, {"": 1.0}),
        characters,
    )
    # Likeliest first: the 0 is none, the 8 is a 3, a point stands between.
    assert found == ("8", "30", "8.0")


@pytest.mark.parametrize(
    ("likely", "meant"),
    [
        ({"盒": 0.02, "支": 0.001}, ("盒",)),
        ({"盒": 0.02, "支": 0.01}, ()),
        ({"盒": 0.0005}, ()),
    ],
)
def test_a_measure_word_is_told_only_where_it_is_clear(
    likely: dict[str, float], meant: tuple[str, ...]
) -> None:
    watched = np.array([[0.0, *(likely.get(one, 0.0) for one in FIGURES + MEASURES)]], np.float32)
    assert measure(watched) == meant


def test_what_was_measured_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(cpu, "flags", lambda: frozenset({"avx512_bf16"}))
    kept = tmp_path / "new" / "kept.json"
    runs: list[str] = []

    def run(numbers: Numbers) -> object:
        def once() -> None:
            runs.append(numbers)
            time.sleep(0.02 if numbers == "f32" else 0)

        return once

    assert arithmetic.chosen(run, kept) == "bf16"  # type: ignore[arg-type]
    assert list(json.loads(kept.read_text()).values()) == ["bf16"]
    runs.clear()
    assert arithmetic.chosen(run, kept) == "bf16"  # type: ignore[arg-type]
    assert not runs
    kept.write_text("no JSON")
    assert arithmetic.chosen(run, kept) == "bf16"  # type: ignore[arg-type]
    assert runs


@pytest.mark.parametrize(
    ("flags", "quickest", "right"),
    [
        ({"avx512_vnni", "avx512_bf16"}, "int8", "int8"),
        ({"avx512_vnni"}, "bf16", "f32"),
        ({"avx2"}, "int8", "f32"),
    ],
)
def test_only_numbers_that_the_processor_multiplies_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: set[str], quickest: str, right: str
) -> None:
    import time

    monkeypatch.setattr(cpu, "flags", lambda: frozenset(flags))

    def run(numbers: Numbers) -> object:
        return lambda: time.sleep(0 if numbers == quickest else 0.02)

    choices: tuple[Numbers, ...] = ("f32", "bf16", "int8")
    kept = tmp_path / "kept.json"
    assert arithmetic.chosen(run, kept, choices, "x") == right  # type: ignore[arg-type]


def test_eight_bits_that_were_altered_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.read_eight_bits() is not None
    monkeypatch.setattr(models, "_EIGHT_BITS", {"detection_int8.xml": "0" * 64})
    assert models.read_eight_bits() is None


def test_another_model_than_the_tested_one_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_folder", lambda: tmp_path)
    with pytest.raises(models.OcrUnavailable, match="缺少"):
        Ocr("f32", threads=1)
    for name, _ in models._FILES.values():
        (tmp_path / name).write_bytes(b"another")
    with pytest.raises(models.OcrUnavailable, match="不同"):
        Ocr("f32", threads=1)
