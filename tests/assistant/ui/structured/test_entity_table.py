"""Entities and features as tables."""

from __future__ import annotations

from structured_sample import ATTACK, entity, note

from assistant.tasks.structuring.entity import Coding, TimeExpression
from assistant.tasks.structuring.features import extract_features, new_table
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.template import load_template
from assistant.tasks.structuring.ui.entity_table import entities_html
from assistant.tasks.structuring.ui.feature_card import features_html
from assistant.ui.strings import Text
from knowledge.text.finding import Polarity

ZH, EN = Text("zh"), Text("en")


def test_a_row_has_attributes_value_time_and_codes() -> None:
    text = "2024年3月1日左肺炎，无胸痛，WBC 12.3×10^9/L↑（4-10）"
    when = TimeExpression(start=0, end=9, text="2024年3月1日", kind="date", value="2024-03-01")
    entities = [
        entity(
            text,
            "肺炎",
            EntityType.DISEASE,
            side="左",
            time=when,
            codes=[Coding(system="icd", code="J18.9", name="肺炎", score=0.953)],
        ),
        entity(text, "胸痛", EntityType.SYMPTOM, 2, polarity=Polarity.ABSENT),
        entity(
            text, "WBC", EntityType.TEST, 3, value="12.3", unit="10^9/L", flag="high",
            reference="4-10",
        ),
    ]  # fmt: skip
    shown = entities_html([note(text, entities)], ZH)
    for expected in (
        "左侧",
        "2024年3月1日（2024-03-01）",
        "J18.9",
        "0.95",
        "否认",
        "12.3×10^9/L ↑偏高",
        "参考 4-10",
        'data-to="n1 10 12"',
    ):
        assert expected in shown
    assert "left" in entities_html([note(text, entities)], EN)


def test_rows_beyond_the_first_are_folded() -> None:
    text = "发热"
    entities = [entity(text, text, EntityType.SYMPTOM, n) for n in range(450)]
    shown = entities_html([note(text, entities)], ZH)
    assert shown.count("<tr class") == 450
    assert shown.count("<details") == 2


def test_a_note_brings_no_markup_into_the_table() -> None:
    found = entity(
        ATTACK, ATTACK, EntityType.DRUG, codes=[Coding(system="x", name=ATTACK, score=1)]
    )
    shown = entities_html([note(ATTACK, [found])], ZH)
    assert "<script" not in shown
    assert "<img" not in shown


def test_feature_cells_lead_to_their_words() -> None:
    text = "右肺上叶见一实性结节，大小约12mm×8mm，边缘毛刺。双侧胸腔未见积液。"
    template = load_template("chest-ct")
    table = new_table(template)
    table.rows = extract_features(text, "n1", template)
    table.rows += extract_features("复查。", "n2", template)
    shown = features_html(table, {"n1": f"胸部CT{ATTACK}", "n2": "复查"}, ZH)
    size = table.rows[0].cells["size"]
    assert size.value is not None
    first = size.evidence[0]
    assert f'data-to="n1 {first.start} {first.end}"' in shown
    assert "<script" not in shown
    assert "复查" not in shown, "a report that tells nothing has no column"
    table.rows = table.rows[-1:]
    assert "没有模板所列的内容" in features_html(table, {}, ZH)
    assert features_html(None, {}, ZH) == ""
