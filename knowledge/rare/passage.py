"""What the ontology says of a rare disease, as a passage that a hint cites."""

from __future__ import annotations

from typing import Final

import numpy as np

from knowledge.rare.ranking import RareHint
from knowledge.rare.table import STEPS, Disease, Phenotype, RareTable
from knowledge.sources.fact import Passage

PREFIX: Final = "rare:"
_CLASSES = ((0.99, "必有"), (0.8, "极常见"), (0.3, "常见"), (0.05, "偶见"), (0.0, "罕见"))
_MOST = 60


def passage_id(disease: Disease) -> str:
    """The id under which a disease is cited."""
    return PREFIX + disease.ids[0]


def shown_name(disease: Disease) -> str:
    """The Chinese name where it is known, else the English one."""
    return disease.chinese or disease.name


def phenotype_name(phenotype: Phenotype) -> str:
    """The Chinese name where it is known, with the English one behind it."""
    return f"{phenotype.chinese}（{phenotype.name}）" if phenotype.chinese else phenotype.name


def how_often(rate: float) -> str:
    """The class of a frequency in words, and in percent."""
    word = next(word for least, word in _CLASSES if rate >= least)
    return f"{word}，约{100 * rate:.0f}%"


def citation(hint: RareHint, listed: Phenotype, rate: float, source: str) -> str:
    """The annotation that a hint rests on."""
    name = hint.disease.name
    return f"{source}：{name} — {listed.name} {listed.id}（{how_often(rate)}）"


def rare_passage(table: RareTable, cited: str) -> Passage | None:
    """The passage of a disease by the id that `passage_id` gave."""
    wanted = cited.removeprefix(PREFIX)
    for row, disease in enumerate(table.diseases):
        if disease.ids[0] == wanted:
            return Passage(
                id=cited,
                subject=shown_name(disease),
                title=f"{shown_name(disease)}（{'、'.join(disease.ids)}）",
                text=_text(table, row),
                source=table.source,
                version="",
                key=disease.ids[0],
                kind="disease",
            )
    return None


def _text(table: RareTable, row: int) -> str:
    disease = table.diseases[row]
    at = np.flatnonzero((table.rows == row) & table.own)
    terms = np.searchsorted(table.starts, at, side="right") - 1
    told = sorted(zip(-table.rates[at].astype(int), terms.tolist(), strict=True))
    listed = [
        f"{phenotype_name(table.phenotypes[term])}（{how_often(-rate / STEPS)}）"
        for rate, term in told[:_MOST]
    ]
    lines = [f"{shown_name(disease)}，{disease.name}，{'、'.join(disease.ids)}。"]
    lines.append(f"表型：{'；'.join(listed)}。")
    if disease.excluded:
        names = (phenotype_name(table.phenotypes[number]) for number in disease.excluded)
        lines.append(f"不应有：{'；'.join(names)}。")
    if disease.onset:
        low, high = disease.onset
        lines.append(f"起病年龄：{low:g}至{high:g}岁。")
    lines.append(f"出处：{table.source}；频率为注释者所记，非本院数据。")
    return "\n".join(lines)
