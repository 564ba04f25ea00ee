"""The four kinds of evidence, and how those of older drafts are read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from assistant.record.evidence import CitedPassage, Evidence, PageBox, TextSpan, VolumeRegion

ANY: TypeAdapter[Any] = TypeAdapter(Evidence)
BOX = {"unit": "mm", "low": [-10, 0, 5], "high": [20, 30, 40]}
KINDS = [
    (TextSpan, {"kind": "span", "note_id": "n1", "start": 3, "end": 5, "quote": "发热"}),
    (
        PageBox,
        {"kind": "box", "attachment_id": "a-1", "page": 2, "x": 0, "y": 9, "width": 30,
         "height": 12, "quote": "合计"},
    ),
    (
        VolumeRegion,
        {"kind": "region", "series_id": "s-1", "label": "右肺结节", "segment": 3, "box": BOX,
         "picture": {"attachment_id": "a-2", "slice": 40, "x": 1, "y": 2, "width": 3, "height": 4},
         "quote": "8 mm"},
    ),
    (
        CitedPassage,
        {"kind": "passage", "passage_id": "guide:1", "source": "指南", "quote": "推荐"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content"), KINDS)
def test_each_kind_comes_back_as_it_was(kind: type, content: dict[str, Any]) -> None:
    found = ANY.validate_python(content)
    assert isinstance(found, kind)
    assert ANY.validate_json(ANY.dump_json(found)) == found


def test_evidence_of_older_drafts_is_read() -> None:
    span = {"note_id": "n1", "start": 3, "end": 5}
    record = {"kind": "record", "quote": "发热", "span": span, "passage_id": None, "source": ""}
    assert ANY.validate_python(record) == TextSpan(quote="发热", **span)
    knowledge = {
        "kind": "knowledge",
        "quote": "肺炎",
        "span": None,
        "passage_id": "disease:肺炎",
        "source": "CMeKG",
    }
    assert ANY.validate_python(knowledge) == CitedPassage(
        quote="肺炎", passage_id="disease:肺炎", source="CMeKG"
    )
    without = {"kind": "knowledge", "quote": "J18.9", "source": "ICD-10"}
    assert ANY.validate_python(without).passage_id is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "record", "quote": "发热", "span": None},
        {"kind": "other", "quote": "发热"},
        {"kind": "box", "attachment_id": "a", "x": -1, "y": 0, "width": 1, "height": 1,
         "quote": ""},
        {"kind": "box", "attachment_id": "a", "x": 0, "y": 0, "width": 0, "height": 1,
         "quote": ""},
        {"kind": "box", "attachment_id": "../secret", "x": 0, "y": 0, "width": 1, "height": 1,
         "quote": ""},
        {"kind": "region", "series_id": "s", "label": "结节", "quote": ""},
        {"kind": "region", "series_id": "s", "label": "结节", "quote": "",
         "box": BOX | {"low": [99, 0, 0]}},
    ],
)  # fmt: skip
def test_what_points_nowhere_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ANY.validate_python(wrong)
