"""The nodules as a table and the report below it; every row opens the slice that shows it."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.detection.draft import Detection, Detections
from assistant.tasks.detection.marks_report import called
from assistant.tasks.detection.report import DENSITIES, SIDES, ZONES, label
from assistant.ui.markup import esc, evidence_chip
from assistant.ui.strings import Text

_COLUMNS = ("number", "place", "density", "size", "volume", "score")


def nodule_table(found: Detections, context: Context | None, t: Text) -> str:
    """Under the words that it is for research; of a model's marks their boxes."""
    if found.network:
        return _marks(found, context, t)
    head = "".join(f'<th scope="col">{esc(t(f"detection.{key}"))}</th>' for key in _COLUMNS)
    head += '<th scope="col">Lung-RADS</th>'
    rows = "".join(_row(found, number, context, t) for number in range(len(found.detections)))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    said = "".join(f"<li>{esc(one.text)}</li>" for one in found.report)
    return (
        f'<p class="notice warn">{esc(found.notice)}</p>{table}<ul>{said}</ul>'
        f"<p>{esc(found.method)}</p>"
    )


def _marks(found: Detections, context: Context | None, t: Text) -> str:
    keys = ("number", "label", "slice", "box", "score")
    head = "".join(f'<th scope="col">{esc(t(f"detection.{key}"))}</th>' for key in keys)
    rows = ""
    for mark, said in zip(found.marks, found.report, strict=False):
        chip = str(mark.number)
        if said.evidence:
            chip = evidence_chip(
                said.evidence[0], mark.number, "", t, context=context, label=called(mark)
            )
        name = mark.label_zh if t.language == "zh" and mark.label_zh else mark.label
        box = f"{mark.x}, {mark.y}, {mark.width}, {mark.height}"
        cells = [name, str(mark.slice + 1), box, f"{mark.score:.2f}"]
        rows += f"<tr><td>{chip}</td>" + "".join(f"<td>{esc(one)}</td>" for one in cells) + "</tr>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    said_all = "".join(f"<li>{esc(one.text)}</li>" for one in found.report)
    return (
        f'<p class="notice warn">{esc(found.notice)}</p>{table}<ul>{said_all}</ul>'
        f"<p>{esc(found.method)}</p>"
    )


def _row(found: Detections, number: int, context: Context | None, t: Text) -> str:
    one = found.detections[number]
    region = found.report[number].evidence[0]
    chip = evidence_chip(region, one.number, "", t, context=context, label=label(one))
    cells = [
        _place(one, t.language),
        DENSITIES[one.density][0 if t.language == "zh" else 1],
        f"{one.long_mm:.1f} × {one.short_mm:.1f}",
        f"{one.volume_mm3:.0f}",
        f"{one.score:.2f}",
        one.lung_rads,
    ]
    return f"<tr><td>{chip}</td>" + "".join(f"<td>{esc(cell)}</td>" for cell in cells) + "</tr>"


def _place(one: Detection, language: str) -> str:
    if language == "zh":
        return f"{SIDES[one.side][0]}{ZONES[one.zone][0]} 1/3"
    return f"{SIDES[one.side][1]}, {ZONES[one.zone][1]} third"
