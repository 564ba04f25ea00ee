"""One passage a subject, written from its facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.disease import Disease
from knowledge.graph_builder import Subject
from knowledge.sources.clinical import NAME as CURATED
from knowledge.sources.fact import Passage, Relation, Source
from knowledge.text.folding import fold

DENSE_CHARACTERS = 40  # the encoder takes about 0.8 ms a character
_DRUG_PARTS = (
    (Relation.GENERIC_NAME, "通用名", 3),
    (Relation.BRAND_NAME, "商品名", 4),
    (Relation.INDICATION, "适应症", 20),
    (Relation.DOSAGE, "用法用量", 4),
    (Relation.CONTRAINDICATION, "禁忌", 8),
    (Relation.CAUTION, "注意事项", 8),
    (Relation.ADVERSE_EFFECT, "不良反应", 20),
    (Relation.INTERACTION, "药物相互作用", 10),
)
_SPEAKING = {
    Relation.INDICATION,
    Relation.DOSAGE,
    Relation.CONTRAINDICATION,
    Relation.ADVERSE_EFFECT,
}


def _part(label: str, values: Sequence[str], limit: int) -> str:
    shown = "、".join(value.strip("。；，、 ") for value in values[:limit])
    return f"{label}：{shown}{'等' if len(values) > limit else ''}。" if shown else ""


def disease_text(disease: Disease) -> str:
    """The passage of a disease."""
    extra = disease.extra
    parts = (
        disease.description and disease.description.rstrip("。") + "。",
        _part("别名", disease.aliases, 6),
        _part("ICD-10", disease.icd10, 3),
        _part("就诊科室", disease.departments, 4),
        _part("多发群体", disease.population, 5),
        _part("常见症状", disease.symptoms, 20),
        _part("体征", disease.signs, 20),
        _part("检查", disease.tests, 14),
        _part("并发症", disease.complications, 14),
        _part("病因", disease.causes, 10),
        _part("高危因素", extra.get("risk", ()), 8),
        _part("传播途径", extra.get("transmission", ()), 4),
        _part("鉴别诊断", disease.differentials, 14),
        _part("治疗", disease.treatments, 12),
        _part("相关药物", disease.drugs, 12),
        _part("预防", extra.get("prevention", ()), 6),
    )
    return "".join(part for part in parts if part)


def dense_text(passage: Passage) -> str | None:
    """What of a passage is embedded: name and leading findings; None when it is not worth it."""
    if passage.kind == "guideline":
        return f"{passage.title}：{passage.text}"
    if passage.kind != "disease":
        return None
    body = passage.text
    start = body.find("常见症状：")
    body = body[start + len("常见症状：") :] if start >= 0 else body
    return f"{passage.subject}：{body}"[:DENSE_CHARACTERS]


def disease_passages(diseases: Sequence[Disease], sources: dict[str, Source]) -> Iterator[Passage]:
    """One passage for every disease of which anything is known."""
    for disease in diseases:
        text = disease_text(disease)
        # A curated entry has a passage of its own.
        if text and disease.sources != (CURATED,):
            yield Passage(
                id=f"disease-{disease.name}",
                subject=disease.name,
                title=disease.name,
                text=text,
                source="、".join(disease.sources),
                version="、".join(sources[name].version for name in disease.sources),
                key=disease.name,
                kind="disease",
            )


def drug_passages(subjects: dict[str, Subject], sources: dict[str, Source]) -> Iterator[Passage]:
    """One passage for every medicine with an indication, a dose, a warning or an effect."""
    seen: set[str] = set()
    for subject in subjects.values():
        name = fold(subject.name)
        if not subject.is_drug or name in seen or _SPEAKING.isdisjoint(subject.values):
            continue
        seen.add(name)
        text = "".join(
            _part(label, subject.get(relation), limit) for relation, label, limit in _DRUG_PARTS
        )
        yield Passage(
            id=f"drug-{subject.name}",
            subject=subject.name,
            title=subject.name,
            text=text,
            source="、".join(subject.sources),
            version="、".join(sources[source].version for source in subject.sources),
            key=subject.name,
            kind="drug",
        )
