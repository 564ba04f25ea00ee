from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.extraction import FindingExtractor
from knowledge.text.finding import Certainty, Experiencer, Finding, Polarity, Temporality
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind, load_synonyms

CASES = Path(__file__).parents[1] / "data" / "knowledge" / "extraction_cases.tsv"
DISEASES = {
    "肺炎": (),
    "高血压": (),
    "糖尿病": (),
    "冠状动脉粥样硬化性心脏病": ("冠心病",),
    "肝炎": (),
    "结核": (),
    "疟疾": (),
    "支气管哮喘": ("哮喘",),
    "急性心肌梗死": (),
    "急性阑尾炎": (),
    "手足口病": (),
    "脑膜炎": (),
    "肺结核": (),
}
SYMPTOMS = sorted(
    concept.name
    for concept in load_synonyms().concepts.values()
    if concept.kind in (TermKind.SYMPTOM, TermKind.SIGN)
)


def lexicon() -> Lexicon:
    terms = Lexicon()
    terms.add_synonyms(load_synonyms())
    for disease, aliases in DISEASES.items():
        for name in (disease, *aliases):
            terms.add(name, disease, TermKind.DISEASE)
    return terms


EXTRACTOR = FindingExtractor(lexicon())


def notation(finding: Finding) -> str:
    marks = [
        ("-", finding.polarity is Polarity.ABSENT),
        ("?", finding.certainty is Certainty.UNCERTAIN),
        ("P", finding.temporality is Temporality.PAST),
        ("H", finding.temporality is Temporality.HYPOTHETICAL),
        ("F", finding.experiencer is Experiencer.FAMILY),
    ]
    return finding.concept + "".join(mark for mark, holds in marks if holds)


def table() -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [
        (row[0].replace("\\n", "\n").replace("\\r", "\r"), row[1])
        for row in rows
        if not row[0].startswith("#")
    ]


def test_the_table_is_large_enough() -> None:
    assert len(table()) >= 120


@pytest.mark.parametrize(("text", "expected"), table())
def test_findings_of_the_table(text: str, expected: str) -> None:
    found = EXTRACTOR.extract(text, "note")
    assert " ".join(notation(finding) for finding in found) == expected


@given(
    st.text(
        alphabet=st.sampled_from("无发热咳嗽不伴否认，。、腹痛3天（-）？史既往父亲 Aａ\n🙂没有")
    )
)
def test_spans_are_exact_code_points(text: str) -> None:
    found = EXTRACTOR.extract(text, "note")
    end = 0
    for finding in found:
        assert text[finding.span.start : finding.span.end] == finding.text
        assert finding.span.start >= end
        end = finding.span.end


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for finding in EXTRACTOR.extract(text, "note"):
        assert text[finding.span.start : finding.span.end] == finding.text


@given(
    cue=st.sampled_from(
        ["无", "否认", "未见", "未诉", "没有", "不伴", "无明显", "并无", "否认有", "未出现", "亦无"]
    ),
    terms=st.lists(
        st.sampled_from(
            ["发热", "咳嗽", "腹痛", "胸痛", "呕吐", "尿频", "皮疹", "黄疸", "抽搐", "头晕"]
        ),
        min_size=1,
        max_size=6,
    ),
    joints=st.lists(st.sampled_from(["、", "及", "和", "或", ""]), min_size=5, max_size=5),
    before=st.sampled_from(["", "患者3天前出现乏力，", "神志清楚。", "现病史："]),
    after=st.sampled_from(["", "。", "，精神可。", "；近2天出现畏寒", "，伴盗汗"]),
)
def test_what_is_denied_is_never_present(
    cue: str, terms: list[str], joints: list[str], before: str, after: str
) -> None:
    listed = terms[0] + "".join(j + t for j, t in zip(joints, terms[1:], strict=False))
    text = before + cue + listed + after
    low, high = len(before) + len(cue), len(before) + len(cue) + len(listed)
    inside = [f for f in EXTRACTOR.extract(text, "n") if f.span.end > low and f.span.start < high]
    assert inside
    assert all(finding.polarity is Polarity.ABSENT for finding in inside)


@given(concept=st.sampled_from(SYMPTOMS), cue=st.sampled_from(["无", "否认", "未见", "没有"]))
def test_every_symptom_can_be_denied(concept: str, cue: str) -> None:
    found = EXTRACTOR.extract(f"{cue}{concept}。", "note")
    assert all(finding.polarity is Polarity.ABSENT for finding in found)


@given(concept=st.sampled_from(SYMPTOMS), mark=st.sampled_from(["阴性", "（-）", "(-)", "：无"]))
def test_a_denial_behind_the_term_counts(concept: str, mark: str) -> None:
    found = EXTRACTOR.extract(f"{concept}{mark}。", "note")
    assert all(finding.polarity is Polarity.ABSENT for finding in found)


@given(concept=st.sampled_from(SYMPTOMS))
def test_every_symptom_is_found_where_it_is_stated(concept: str) -> None:
    found = EXTRACTOR.extract(f"患者出现{concept}3天。", "note")
    table = load_synonyms()
    stated = {finding.concept for finding in found if finding.counts_for}
    # 压痛 alone is the abdomen's: a narrower concept states the broader one.
    assert concept in stated.union(*(table.ancestors(name) for name in stated))


DENIALS = (
    "无{}。",
    "否认{}、头晕。",
    "未见{}及头晕。",
    "患者无{}、头晕、咳嗽",
    "无咳嗽、{}、头晕。",
    "没有{}",
    "{}阴性",
    "{}（-）",
)


@pytest.mark.parametrize("template", DENIALS)
def test_no_wording_of_the_table_escapes_its_denial(template: str) -> None:
    wordings = [
        wording
        for concept in load_synonyms().concepts.values()
        if concept.kind in (TermKind.SYMPTOM, TermKind.SIGN)
        for wording in (concept.name, *concept.wordings)
        if "…" not in wording
    ]
    escaped = [
        (wording, finding.text)
        for wording in wordings
        for finding in EXTRACTOR.extract(template.format(wording), "note")
        if finding.polarity is Polarity.PRESENT
    ]
    assert escaped == []


def test_a_long_note_is_read_in_reasonable_steps() -> None:
    text = "患者发热3天，无咳嗽、咳痰。" * 5000
    found = EXTRACTOR.extract(text, "note")
    assert len(found) == 15000
    assert sum(finding.counts_against for finding in found) == 10000


@pytest.mark.parametrize(
    "text",
    [
        "接种肺炎球菌疫苗",
        "肺炎链球菌",
        "肝炎疫苗接种史",
        "肝炎病毒标志物",
        "肺炎支原体IgM",
        "肺炎克雷伯菌",
        "结核抗体",
        "肝炎核心抗体",
    ],
)
def test_what_causes_prevents_or_tests_for_a_disease_is_not_the_disease(text: str) -> None:
    assert FindingExtractor(lexicon()).extract(text, "n") == []


def test_a_virus_that_the_patient_has_is_a_finding() -> None:
    for text in ("肝炎病毒感染", "肝炎病毒携带者"):
        (finding,) = FindingExtractor(lexicon()).extract(text, "n")
        assert finding.concept == "肝炎"


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("心脏未见明显异常，脾大。", []),
        ("未见异常，脾大，肝大。", []),
        ("双肺未闻及干湿啰音，脾大。", ["干湿啰音"]),
        ("双肺未闻及湿啰音，哮鸣音。", ["湿啰音", "哮鸣音"]),
        ("未见皮疹，黄疸。", ["皮疹"]),
        ("无咳嗽、咳痰，胸痛。", ["咳嗽", "咳痰", "胸痛"]),
    ],
)
def test_a_denial_goes_over_a_comma_to_its_list_alone(text: str, absent: list[str]) -> None:
    found = FindingExtractor(lexicon()).extract(text, "n")
    denied = [f.text for f in found if f.polarity is Polarity.ABSENT]
    assert [text.removeprefix("未见").removeprefix("未闻及") for text in denied] == absent


@given(
    st.lists(
        st.sampled_from(
            [
                "发热",
                "咳嗽",
                "：",
                "有",
                "无",
                "□",
                "☑",
                "（+）",
                "（-）",
                " ",
                "\n",
                "，",
                "；",
                "如",
                "🙂",
            ]
        ),
        max_size=24,
    ).map("".join)
)
def test_any_form_is_read(text: str) -> None:
    for finding in EXTRACTOR.extract(text, "note"):
        assert text[finding.span.start : finding.span.end] == finding.text


def test_what_may_be_denied_or_found_is_uncertain() -> None:
    _, second = FindingExtractor(lexicon()).extract("未见皮疹，黄疸。", "n")
    assert (second.polarity, second.certainty) == (Polarity.PRESENT, Certainty.UNCERTAIN)
