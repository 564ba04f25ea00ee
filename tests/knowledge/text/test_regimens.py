"""What a text says of how drugs are given, as whole facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.frequency import frequencies, frequency_rows
from knowledge.text.regimens import Regimen, RegimenReader, cue_rows, regimens
from knowledge.text.route import route_rows, routes
from tests.counted_calls import grows_in_proportion


@pytest.mark.parametrize("row", frequency_rows(), ids=lambda row: str(row[3]))
def test_a_row_of_frequencies_reads_its_example(row: list[str]) -> None:
    assert [found.value for found in frequencies(row[3])] == [row[4]]


@pytest.mark.parametrize("row", route_rows(), ids=lambda row: str(row[0]))
def test_a_row_of_routes_reads_its_example(row: list[str]) -> None:
    assert [found.value for found in routes(row[2])] == [row[0]]


@pytest.mark.parametrize(
    "words", ["bid", "每日2次", "2次/日", "一天两次", "一日二次", "2次/天", "2/日"]
)
def test_one_frequency_in_many_words(words: str) -> None:
    assert [found.value for found in frequencies(f"5mg {words}。")] == ["日2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("每12小时1次", ["12小时1"]),
        ("q8h", ["8小时1"]),
        ("每周一次", ["周1"]),
        ("每周三复查", []),
        ("0.5gtid po", ["日3"]),
        ("每日1～2次", ["日1-2"]),
        ("第3日2次抽搐", []),
    ],
)
def test_frequencies(text: str, expected: list[str]) -> None:
    assert [found.value for found in frequencies(text)] == expected


def said(text: str, one: Regimen) -> str:
    """A regimen in one line: drug, dose, rate, route, frequency, duration, condition, marks."""
    parts = [one.drug.name]
    parts += [f"{at}{text[q.start : q.end]}" for at, q in one.schedule]
    for part in (one.dose, one.count, one.rate):
        parts += [f"{part.value_text}{part.unit_text}"] if part else []
    parts += [one.route.value] if one.route else []
    parts += [one.frequency.value] if one.frequency else []
    parts += [f"×{one.duration.value_text}{one.duration.unit_text}"] if one.duration else []
    parts += [f"if {one.condition.text}"] if one.condition else []
    marks = (
        one.phase,
        *(name for name in ("stopped", "replaced", "planned") if getattr(one, name)),
    )
    return " ".join([*parts, *filter(None, marks)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "呋塞米20mg iv st，后改为20mg bid口服。",
            ["呋塞米 20mg 静脉注射 即刻1", "呋塞米 20mg 口服 日2"],
        ),
        ("利伐沙班15mg bid×21天，后改20mg qd。", ["利伐沙班 15mg 日2 ×21d", "利伐沙班 20mg 日1"]),
        ("甲强龙40mg qd，3天后减为20mg qd。", ["甲强龙 40mg 日1", "甲强龙 20mg 日1"]),
        ("华法林2.5mg qd，昨起改3.75mg qd。", ["华法林 2.5mg 日1", "华法林 3.75mg 日1"]),
        (
            "阿奇霉素500mg首日，后250mg qd×4天。",
            ["阿奇霉素 500mg loading", "阿奇霉素 250mg 日1 ×4d"],
        ),
        (
            "氯吡格雷首剂300mg，维持75mg qd。",
            ["氯吡格雷 300mg loading", "氯吡格雷 75mg 日1 maintenance"],
        ),
        ("华法林2.5mg qd，因INR升高减为1.25mg qd。", ["华法林 2.5mg 日1", "华法林 1.25mg 日1"]),
        ("氨氯地平2.5mg qd，加量至5mg", ["氨氯地平 2.5mg 日1", "氨氯地平 5mg 日1"]),
        ("氯化钾缓释片1.0 tid×3d。", ["氯化钾 1 日3 ×3d"]),
        ("氨溴索30mg 2次/日 静滴。", ["氨溴索 30mg 静脉滴注 日2"]),
        ("阿莫西林胶囊 一次0.5g，一日3次。", ["阿莫西林 0.5g 日3"]),
        ("氯吡格雷75mg 1/日，阿司匹林100mg 1次/晚。", ["氯吡格雷 75mg 日1", "阿司匹林 100mg 晚1"]),
        ("甲氨蝶呤15mg/周。", ["甲氨蝶呤 15mg/周"]),
        ("布洛芬混悬液5ml q6h prn（体温＞38.5℃）。", ["布洛芬 5mL 6小时1 if prn（体温＞38.5℃）"]),
        ("每日1～2次 口服布洛芬0.2g。", ["布洛芬 0.2g 口服 日1-2"]),
        ("甲氨蝶呤片 2.5mg×4片 口服 qw（每周三）。", ["甲氨蝶呤 2.5mg 4片 口服 周1"]),
        ("多巴胺 5μg/kg·min 静脉泵入。", ["多巴胺 5ug/kg/min 静脉泵入"]),
        ("肝素12,500U静脉泵入。", ["肝素 12500U 静脉泵入"]),
        ("收缩压＞180mmHg时临时含服卡托普利25mg。", ["卡托普利 25mg 含服 if 收缩压＞180mmHg时"]),
        ("疼痛加重时可加服曲马多50mg。", ["曲马多 50mg if 疼痛加重时 planned"]),
        ("门冬胰岛素早8U 中6U 晚10U皮下注射。", ["门冬胰岛素 早8U 中6U 晚10U 皮下注射"]),
        ("呋塞米20mg静推后尿量2000ml", ["呋塞米 20mg 静脉注射"]),
        ("头孢呋辛1.5g静脉滴注，术中出血150ml", ["头孢呋辛 1.5g 静脉滴注"]),
        ("胰岛素后血糖降至5.2mmol/L", ["胰岛素"]),
        (
            "美罗培南1g q8h静滴，后降阶梯为头孢他啶2g q12h。",
            ["美罗培南 1g 静脉滴注 8小时1 replaced", "头孢他啶 2g 12小时1"],
        ),
        (
            "华法林2.5mg qd，血压控制不佳，改用氨氯地平5mg qd。",
            ["华法林 2.5mg 日1", "氨氯地平 5mg 日1"],
        ),
        ("口服二甲双胍，2023年改用胰岛素。", ["二甲双胍 口服 replaced", "胰岛素"]),
        ("瑞芬太尼5ml/h持续泵入，多巴胺已停用", ["瑞芬太尼 5mL/h 静脉泵入", "多巴胺 stopped"]),
        ("停用阿司匹林、氯吡格雷7天", ["阿司匹林 stopped", "氯吡格雷 ×7d stopped"]),
        (
            "泼尼松30mg qd，每周减5mg，减至10mg维持",
            ["泼尼松 30mg 日1", "泼尼松 10mg 日1 maintenance"],
        ),
        ("阿托伐他汀20mg qn，拟加量至40mg", ["阿托伐他汀 20mg 晚1", "阿托伐他汀 40mg 晚1 planned"]),
        ("头孢克肟0.1g×6片 sig 0.1g bid po", ["头孢克肟 0.1g 口服 日2"]),
        (
            "头孢曲松2g加入0.9%氯化钠注射液100ml静滴，每日1次",
            ["头孢曲松 2g 静脉滴注 日1", "氯化钠 100mL 静脉滴注 日1"],
        ),
        ("多潘立酮10mg 三餐前30分钟口服", ["多潘立酮 10mg 口服 日3"]),
        ("卡培他滨1000mg/m2 bid d1-14 q21d", ["卡培他滨 1000mg/m2 日2"]),
        (
            "硫酸镁2.5g静推后以1g/h维持",
            ["硫酸镁 2.5g 静脉注射", "硫酸镁 1g/h 静脉注射 maintenance"],
        ),
        ("二甲双胍0.5g tid（后因腹泻停用）", ["二甲双胍 0.5g 日3", "二甲双胍 stopped"]),
        ("缬沙坦氨氯地平80/5mg qd", ["缬沙坦氨氯地平 80/5mg 日1"]),
    ],
)
def test_a_regimen_is_one_fact(text: str, expected: list[str]) -> None:
    assert [said(text, one) for one in regimens(text)] == expected


def test_order_and_what_holds_at_the_end() -> None:
    found = regimens("阿托伐他汀10mg qn，后改20mg qn，拟加量至40mg")
    assert [(r.order, r.current, r.planned) for r in found] == [
        (0, False, False), (1, True, False), (2, False, True),
    ]  # fmt: skip


def test_a_strength_times_how_many_is_the_dose() -> None:
    [one] = regimens("甲氨蝶呤片 2.5mg×4片 口服 qw")
    assert one.dose_value == 10


@pytest.mark.parametrize("row", cue_rows(), ids=lambda row: str(row[2]))
def test_a_row_of_cues_marks_its_example(row: list[str]) -> None:
    found = regimens(f"华法林{row[2]}" if "停" not in row[2] else row[2])
    kind = row[0]
    marked = {
        "change": len(found) > 1,
        "loading": any(r.phase == "loading" for r in found),
        "maintenance": any(r.phase == "maintenance" for r in found),
        "stop": any(r.stopped for r in found),
        "planned": any(r.planned for r in found),
        "times": any(r.duration for r in found),
        "duration": any(r.duration for r in found),
    }
    assert marked[kind], found


DRUGS = ["华法林", "呋塞米", "头孢曲松"]
PIECES = [
    *DRUGS, "5mg", "2.5mg", "qd", "bid", "口服", "iv", "，", "。", "后改为", "停用", "×3天", "时",
    "首剂", "维持", "早", "拟", "加量至", "、", "prn", "（", "）", "5ml/h", "+", "sig",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_any_text_is_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    for one in regimens(text):
        assert 0 <= one.start <= one.drug.start < one.drug.end <= one.end <= len(text)
        assert text[one.drug.start : one.drug.end] == one.drug.name


@pytest.mark.parametrize(
    "piece", ["华法林5mg，", "1", "一", ",", "时", "每日", "后改", "5mg", "华法林"]
)
def test_hostile_text_is_work_in_proportion(piece: str) -> None:
    assert grows_in_proportion(regimens, piece)


def test_a_reader_reads_the_parts_once() -> None:
    text = "予头孢曲松2g静滴 qd，口服阿司匹林100mg 每日1次。"
    reader = RegimenReader(text)
    first = reader.read([])
    assert first == []
