"""The structures as a table: colour, name, code and volumes, each with the slice it is seen on."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.segmentation.draft import FoundStructure, ImageSegmentation
from assistant.ui.markup import esc, evidence_chip
from assistant.ui.strings import Text

_HEADS = ("structure", "code", "volume", "left", "right")


def volume_table(found: ImageSegmentation, context: Context | None, t: Text) -> str:
    """Every structure, under the words that it is for research."""
    head = "".join(f'<th scope="col">{esc(t(f"segmentation.{key}"))}</th>' for key in _HEADS)
    rows = "".join(
        _row(number, one, context, t) for number, one in enumerate(found.structures, start=1)
    )
    said = " · ".join(
        part for part in (found.network, found.precision, f"{found.seconds:.1f} s") if part
    )
    return (
        f'<p class="notice warn">{esc(found.notice)}</p><p>{esc(said)}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(number: int, one: FoundStructure, context: Context | None, t: Text) -> str:
    name = one.name_zh if t.language == "zh" and one.name_zh else one.name
    chip = evidence_chip(one.evidence, number, "", t, context=context, label=name)
    colour = "#" + "".join(f"{part:02x}" for part in one.colour)
    sides = ["—" if side is None else f"{side:.2f}" for side in (one.left_ml, one.right_ml)]
    cells = [one.code, f"{one.volume_ml:.2f}", *sides]
    return (
        f'<tr><td><span class="swatch" style="background:{colour}"></span> {chip}</td>'
        + "".join(f"<td>{esc(cell)}</td>" for cell in cells)
        + "</tr>"
    )
