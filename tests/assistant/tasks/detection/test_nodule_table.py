"""The page's table: what is told, the chip of the slice, both languages, no markup let in."""

from __future__ import annotations

from assistant.record.evidence import SlicePicture
from assistant.store import Context
from assistant.tasks.detection.draft import Detection, Detections
from assistant.tasks.detection.report import report
from assistant.tasks.detection.ui.nodule_table import nodule_table
from assistant.tasks.detection.ui.strings import STRINGS
from assistant.ui.strings import Text, add

add(STRINGS)

ONE = Detection(
    number=1,
    score=0.91,
    side="left",
    zone="upper",
    density="part_solid",
    long_mm=12.3,
    short_mm=9.7,
    diameter_mm=11.0,
    solid_mm=6.4,
    volume_mm3=640,
    mean_hu=-210,
    at_pleura=True,
    centre_mm=(1, 2, 3),
    box_mm=((0, 0, 0), (9, 9, 9)),
    box_voxel=((1, 2, 3), (4, 5, 6)),
    slice=4,
    lung_rads="4A",
)
PICTURE = SlicePicture(attachment_id="att-1", slice=4, x=1, y=2, width=3, height=4)


def drawn(language: str, method: str = "") -> str:
    told = report([ONE], "series-1", [PICTURE])
    draft = Detections(detections=[ONE], report=told, method=method)
    return nodule_table(draft, Context("dr", "doctor", "pat-1", ""), Text(language))


def test_a_row_has_place_density_size_and_category() -> None:
    page = drawn("zh")
    for said in ("左肺上 1/3", "部分实性", "12.3 × 9.7", "640", "0.91", "4A", "科研用途", "att-1"):
        assert said in page, said
    assert "紧邻肺边缘" in page
    assert "实性成分平均径 6.4 mm" in page
    english = drawn("en")
    assert "left lung, upper third" in english
    assert "part-solid" in english


def test_markup_is_text() -> None:
    assert "<script>" not in drawn("zh", method="<script>")
