"""The findings as HTML: volumes, sentences with their evidence, regions, what is doubtful."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.region import MEASURED, Region
from assistant.ui.markup import esc, evidence_chip
from assistant.ui.strings import Text

_UNITS = {"cbf": "ml/100 g/min", "cbv": "ml/100 g", "mtt": "s", "tmax": "s"}


def findings_table(draft: PerfusionReport, context: Context | None, t: Text) -> str:
    """Everything of a report but its pictures, under the words that it is for research."""
    said = draft.findings
    volumes = "".join(
        f"<li><b>{esc(t(f'perfusion.{key}'))}</b> {getattr(said, key):.1f} ml</li>"
        for key in ("core_ml", "penumbra_ml", "mismatch_ml")
    )
    lines = []
    for number, one in enumerate(draft.statements, start=1):
        chip = evidence_chip(one.evidence[0], number, "", t, context=context)
        lines.append(f"<p>{esc(one.text)} {chip}</p>")
    doubtful = "".join(
        f"<li>{esc(one.zh if t.language == 'zh' else one.en)}</li>" for one in said.quality
    )
    head = esc(t("perfusion.doubts"))
    return (
        f'<p class="notice warn">{esc(said.notice)}</p><ul>{volumes}</ul>{"".join(lines)}'
        + (f"<p><b>{head}</b></p><ul>{doubtful}</ul>" if doubtful else "")
        + _regions(said.regions, t)
    )


def _regions(regions: list[Region], t: Text) -> str:
    heads = [t("perfusion.region"), t("perfusion.volume")]
    heads += [f"{name.upper()} {_UNITS[name]}" for name in MEASURED]
    sides = " / ".join(t(f"perfusion.{key}") for key in ("left", "right", "ratio"))
    head = "".join(f'<th scope="col">{esc(one)}</th>' for one in heads)
    rows = []
    for one in regions:
        cells = [one.name_zh if t.language == "zh" else one.name, f"{one.volume_ml:.1f}"]
        cells += [_cell(one, name) for name in MEASURED]
        rows.append("<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in cells) + "</tr>")
    return (
        f"<p>{esc(sides)}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(region: Region, name: str) -> str:
    """The median, and in brackets left, right and their ratio."""
    whole = f"{getattr(region, name):.1f}"
    if region.left is None or region.right is None:
        return whole
    left, right = getattr(region.left, name), getattr(region.right, name)
    ratio = f"{region.ratio[name]:.2f}" if name in region.ratio else "—"
    return f"{whole}（{left:.1f} / {right:.1f} / {ratio}）"
