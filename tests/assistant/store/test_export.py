from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from assistant.store import Context, DraftRow, RequestRow, Store
from assistant.training.data.feedback import Disguise

MakeDraft = Callable[..., DraftRow]


def only(rows: Any) -> dict[str, Any]:
    (row,) = rows
    return row


def test_a_marked_error_is_replaced_in_its_place(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("发热、咳嗽，左肺炎症，无过敏。")
    store.feedback.add(context, row.id, "error", span=(6, 8), quote="左肺", correction="右下肺")
    store.feedback.add(context, row.id, "error", span=(0, 2), quote="发热", correction="高热")
    pair = only(store.feedback_pairs())
    assert pair["rejected"] == "发热、咳嗽，左肺炎症，无过敏。"
    assert pair["chosen"] == "高热、咳嗽，右下肺炎症，无过敏。"
    assert (pair["source"], pair["member"], pair["model"]) == ("correction", "glm", "model-1")
    assert pair["prompt"] == "病历原文：患者发热三天"


def test_a_mark_that_does_not_fit_the_text_changes_nothing(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("发热、咳嗽。")
    store.feedback.add(context, row.id, "error", span=(0, 2), quote="头痛", correction="高热")
    assert not list(store.feedback_pairs())
    assert only(store.feedback_pairs(one_sided=True))["chosen"] is None


def test_a_correction_of_the_whole_text(store: Store, context: Context, draft: MakeDraft) -> None:
    row = draft("发热。")
    store.feedback.add(context, row.id, "dislike", correction="发热、咳嗽。")
    pair = only(store.feedback_pairs())
    assert (pair["chosen"], pair["rejected"]) == ("发热、咳嗽。", "发热。")


def test_signed_text_is_preferred_to_accepted_text(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("生成")
    store.drafts.accept(context, row.id, "接受", 0)
    pair = only(store.feedback_pairs())
    assert (pair["chosen"], pair["rejected"], pair["source"]) == ("接受", "生成", "accepted")
    store.drafts.sign(context, row.id, "签名")
    pair = only(store.feedback_pairs())
    assert (pair["chosen"], pair["rejected"], pair["source"]) == ("签名", "生成", "signed")


def test_what_was_signed_unchanged_is_no_pair(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    store.drafts.sign(context, draft("生成").id, "生成")
    assert not list(store.feedback_pairs())


def test_a_liked_member_stands_against_a_disliked_one(
    store: Store, context: Context, submit: Callable[..., RequestRow], draft: MakeDraft
) -> None:
    request = submit()
    good = draft("好", member="甲", request=request)
    bad = draft("差", member="乙", request=request)
    elsewhere = draft("别处", member="甲", section="出院医嘱", request=request)
    for liked in (good, elsewhere):
        store.feedback.add(context, liked.id, "like")
    store.feedback.add(context, bad.id, "dislike")
    pair = only(store.feedback_pairs())
    assert (pair["chosen"], pair["rejected"], pair["source"]) == ("好", "差", "preference")
    assert len(list(store.feedback_pairs(one_sided=True))) == 3


def test_a_single_like_or_dislike_is_one_sided(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    store.feedback.add(context, draft("好").id, "like")
    store.feedback.add(context, draft("差").id, "dislike")
    assert not list(store.feedback_pairs())
    like, dislike = store.feedback_pairs(one_sided=True)
    assert (like["chosen"], like["rejected"], like["source"]) == ("好", None, "like")
    assert (dislike["chosen"], dislike["rejected"]) == (None, "差")


def test_a_changed_mind_counts_as_it_is_now(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("文")
    store.feedback.add(context, row.id, "dislike", correction="改")
    store.feedback.add(context, row.id, "like")
    assert not list(store.feedback_pairs())


def test_texts_are_deidentified_unless_asked(
    store: Store, submit: Callable[..., RequestRow], draft: MakeDraft
) -> None:
    context = Context("doctor-1", "doctor", "甲乙丙丁", "戊己庚辛")
    payload = {"patient": {"name": "阿依古丽", "age": 58}, "text": "体温38.5℃，病案甲乙丙丁"}
    request = submit(payload=payload, ctx=context)
    row = draft("阿依古丽于2024年3月5日入院，戊己庚辛。", request=request)
    store.drafts.sign(context, row.id, "阿依古丽于2024年3月5日入院，电话13812345678。")
    pair = only(store.feedback_pairs())
    texts = pair["prompt"] + pair["chosen"] + pair["rejected"]
    for gone in ("阿依古丽", "甲乙丙丁", "戊己庚辛"):
        assert gone not in texts
    assert re.search(r"\d", texts) is None
    assert pair["chosen"] == "[姓名]于[日期]入院，电话[电话]。"
    assert "[数值]℃" in pair["prompt"]
    plain = only(store.feedback_pairs(deidentify=False))
    assert plain["prompt"] == (
        "患者：\n  姓名：阿依古丽\n  年龄：58\n病历原文：体温38.5℃，病案甲乙丙丁"
    )
    assert "13812345678" in plain["chosen"]


def test_a_pair_that_reads_the_same_without_numbers_is_left_out(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    store.drafts.sign(context, draft("发热3天").id, "发热5天")
    assert not list(store.feedback_pairs())
    assert only(store.feedback_pairs(deidentify=False))["chosen"] == "发热5天"


def test_an_export_is_noted_with_its_kind(store: Store) -> None:
    admin = Context.operator("admin-1")
    list(store.feedback_pairs(actor=admin))
    list(store.feedback_pairs(actor=admin, deidentify=False))
    entries = [(row.action, row.actor_id) for row in store.audit.list()]
    assert entries == [
        ("feedback.export_identified", "admin-1"),
        ("feedback.export", "admin-1"),
    ]


def test_every_request_is_exported_once(store: Store, context: Context, draft: MakeDraft) -> None:
    for number in range(45):
        store.drafts.sign(context, draft("生成").id, "签名" + "甲" * number)
    assert len(list(store.feedback_pairs())) == 45


def test_a_structured_draft_is_given_as_json(
    store: Store, context: Context, submit: Callable[..., RequestRow]
) -> None:
    request = submit("differential_diagnosis")
    row = store.drafts.add(
        context,
        request.id,
        "differential_diagnosis",
        "glm",
        "",
        {"diagnoses": [{"name": "肺炎"}]},
        record_hash="h",
        model="m",
        prompt_version="1",
        knowledge_version="1",
    )
    store.drafts.accept(context, row.id, "考虑肺炎", 0)
    pair = only(store.feedback_pairs())
    assert json.loads(pair["rejected"]) == {"diagnoses": [{"name": "肺炎"}]}


def test_another_disguise_takes_the_place_of_the_classes(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("王秀兰发热38.5℃。")
    store.feedback.add(context, row.id, "dislike", correction="王秀兰发热38.5℃、咳嗽。")
    disguise = Disguise(b"k" * 32)
    pair = only(store.feedback_pairs(disguise=disguise))
    assert "王秀兰" not in json.dumps(pair, ensure_ascii=False)
    assert pair["chosen"].endswith("发热38.5℃、咳嗽。")
    assert pair["chosen"][:2] == pair["rejected"][:2]
    assert pair["prompt"] in disguise.groups
    last = store.audit.list(limit=1)[0]
    assert last.action == "feedback.export"
