from __future__ import annotations

import pytest

from assistant.tasks.structuring.specimen import specimen_at
from knowledge.text.folding import fold


@pytest.mark.parametrize(
    ("text", "unit", "specimen"),
    [
        ("血常规：白细胞 12.3×10^9/L", "10^9/L", ""),
        ("白细胞 12.3×10^9/L", "10^9/L", ""),
        ("尿常规：白细胞 15/HP", "/HP", "尿"),
        ("尿常规正常，白细胞 12.3×10^9/L", "10^9/L", ""),
        ("尿常规：潜血阴性，白细胞 12.3×10^9/L", "10^9/L", ""),
        ("咳嗽、咳痰：黄色，白细胞 12.3×10^9/L", "10^9/L", ""),
        ("白带检查：滴虫阴性，白细胞 12.3×10^9/L", "10^9/L", ""),
        ("大便常规：白细胞 10/HP", "/HP", "大便"),
        ("脑脊液检查：白细胞 200×10^6/L", "10^6/L", "脑脊液"),
        ("前列腺液：白细胞 15/HP", "/HP", "前列腺液"),
        ("痰涂片：白细胞>25/LP", "/LP", "痰"),
        ("尿常规：潜血阴性。白细胞 30/HP", "/HP", "镜检"),
        ("白细胞 30/HP", "/HP", "镜检"),
    ],
)
def test_what_was_examined(text: str, unit: str, specimen: str) -> None:
    folded = fold(text)
    assert specimen_at(folded, folded.index("白细胞"), unit) == specimen
