"""What of a stay is shown to the model, section by section."""

from __future__ import annotations

from discharge_stays import free, sample, stay, texts, write

from knowledge.base import KnowledgeBase


async def test_facts_of_an_earlier_stay_do_not_enter_this_ones_course(
    knowledge: KnowledgeBase,
) -> None:
    encounter = sample("colorectal-chemo-cycle4")
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "全麻下行腹腔镜乙状结肠癌根治术，术中出血约80ml。"

    course = (await write(encounter, knowledge, reply))["hospital_course"]
    assert [s.status for s in course.left_out] == ["unsupported"]
    assert "80ml" not in course.plain_text()
    course_prompt = next(p for p in prompts if "诊疗经过" in p)
    assert "术中出血约80ml" not in course_prompt


async def test_a_first_progress_note_alone_tells_the_admission(knowledge: KnowledgeBase) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "青霉素过敏。"

    encounter = stay(("first_progress", "青霉素过敏。查体：体温39℃，咽红。"))
    condition = (await write(encounter, knowledge, reply))["admission_condition"]
    assert "青霉素过敏" in prompts[0]
    assert texts(condition) == ["青霉素过敏。", "主诉：病历未记载"]


async def test_an_allergy_in_another_note_reaches_the_admission(knowledge: KnowledgeBase) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "咳嗽3天。"

    encounter = stay(("admission", "主诉：咳嗽3天。"), ("nursing", "家属补述青霉素过敏。"))
    condition = (await write(encounter, knowledge, reply))["admission_condition"]
    assert "青霉素过敏" in prompts[0]
    assert "过敏史：病历未记载" not in texts(condition)


async def test_the_last_progress_note_can_tell_the_discharge(knowledge: KnowledgeBase) -> None:
    encounter = stay(
        ("progress", "今日体温38℃。"),
        ("progress", "出院时体温36.5℃，切口干燥。嘱出院后1月复查。"),
    )
    drafts = await write(encounter, knowledge, lambda _: "体温36.5℃。")
    assert texts(drafts["discharge_condition"]) == ["体温36.5℃。"]
    assert texts(drafts["discharge_orders"]) == [
        "1. 嘱出院后1月复查。",
        "出院带药：病历未记载",
    ]


async def test_rows_reach_the_course_but_discharge_medication_does_not(
    knowledge: KnowledgeBase,
) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "行胸部CT。"

    encounter = stay(
        medications=[
            {"id": "m1", "name": "头孢曲松", "dose": "2g"},
            {"id": "m2", "name": "阿莫西林", "discharge": True},
        ],
        observations=[{"id": "o1", "name": "白细胞", "value": "13", "flag": "high"}],
        orders=[
            {"id": "r1", "kind": "imaging", "text": "胸部CT", "status": "completed"},
            {"id": "r2", "kind": "imaging", "text": "头颅MRI", "status": "active"},
        ],
    )
    course = (await write(encounter, knowledge, reply))["hospital_course"]
    assert "病历未记载" not in texts(course)
    (prompt,) = [p for p in prompts if "诊疗经过" in p]
    for word in ("头孢曲松 每次2g", "白细胞 13", "胸部CT 已完成"):
        assert word in prompt
    assert "阿莫西林" not in prompt
    assert "头颅MRI" not in prompt


async def test_rows_without_room_are_counted(knowledge: KnowledgeBase) -> None:
    rows = [{"id": f"o{n}", "name": f"指标{n}", "value": "1"} for n in range(2000)]
    course = (await write(stay(observations=rows), knowledge, lambda _: "复查。"))[
        "hospital_course"
    ]
    assert any("未交给模型" in w for w in course.warnings)


async def test_sentences_of_two_times_reach_the_model_in_part(knowledge: KnowledgeBase) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "本次住院予胰岛素泵降糖治疗。血压较1周前下降，继续予氨氯地平。予青霉素静滴。"

    encounter = stay(
        ("first_progress", "患者10天前当地诊所予青霉素静滴。"),
        ("progress", "既往糖尿病，本次住院予胰岛素泵降糖治疗。"),
        ("progress", "血压较1周前下降，继续予氨氯地平。"),
    )
    course = (await write(encounter, knowledge, reply))["hospital_course"]
    (prompt,) = [p for p in prompts if "诊疗经过" in p]
    assert "本次住院予胰岛素泵降糖治疗" in prompt
    assert "既往糖尿病" not in prompt
    assert "青霉素" not in prompt
    statuses = [s.status for s in course.statements]
    assert statuses == ["supported", "supported", "unsupported"]
    assert any("有 1 处写的是入院前" in w for w in course.warnings)


async def test_a_history_alone_tells_nothing_of_the_course(knowledge: KnowledgeBase) -> None:
    encounter = free(
        "患者3月前因直肠癌行直肠癌根治术。术后病理示腺癌。术后给予3周期化疗，方案为奥沙利铂150mg。"
        "现为行复查及化疗再次来院就诊，门诊以“直肠癌术后”收入院。近期患者精神可，大便正常。"
    )
    said = "术后给予3周期化疗，方案为奥沙利铂150mg。"
    drafts = await write(encounter, knowledge, lambda _: said)
    assert said not in texts(drafts["hospital_course"])
    assert said in texts(drafts["admission_condition"])
