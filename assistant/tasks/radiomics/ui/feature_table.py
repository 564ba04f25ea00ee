"""The features of a region as a table, with the picture that is their evidence."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.radiomics.draft import RadiomicsFeatures
from assistant.ui.markup import esc, evidence_chip
from assistant.ui.strings import Text


def feature_table(
    found: RadiomicsFeatures, context: Context | None, t: Text, picture: str = ""
) -> str:
    """Every value with its code and unit, under the words that it is for research.

    ``picture``: the region where it is largest, as an address.
    """
    chip = evidence_chip(found.evidence, 1, "", t, context=context, label=found.region.name)
    with_icc = any(one.icc is not None for one in found.features)
    heads = [t(f"radiomics.{key}") for key in ("name", "code", "value", "unit")]
    heads += ["ICC"] if with_icc else []
    head = "".join(f'<th scope="col">{esc(one)}</th>' for one in heads)
    rows = []
    for one in found.features:
        name = one.name_zh if t.language == "zh" else one.name
        cells = [
            " ".join(part for part in (one.filter, name, one.aggregation) if part),
            one.code,
            "—" if one.value is None else f"{one.value:.6g}",
            one.unit,
        ]
        if with_icc:
            cells.append("—" if one.icc is None else f"{one.icc:.2f}")
        rows.append("<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in cells) + "</tr>")
    said = f"{found.region.voxels} · {found.region.millilitres:.1f} ml · {found.settings.name}"
    drawn = ""
    if picture:
        alt = esc(t("radiomics.where", name=found.region.name))
        drawn = f'<img class="region" src="{picture}" alt="{alt}">'
    return (
        f'<p class="notice warn">{esc(found.notice)}</p>{drawn}<p>{chip} {esc(said)}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
