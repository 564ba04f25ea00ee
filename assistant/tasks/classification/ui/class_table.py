"""The classes as a table and the report below it; its sentences open the part they rest on."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.classification.draft import ImageClass
from assistant.ui.markup import esc, evidence_chip
from assistant.ui.strings import Text

_HEADS = ("class", "code", "probability")


def class_table(found: ImageClass, context: Context | None, t: Text) -> str:
    """Under the words that it is for research."""
    head = "".join(f'<th scope="col">{esc(t(f"classification.{key}"))}</th>' for key in _HEADS)
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{esc(cell)}</td>" for cell in (name, one.code, f"{one.probability:.1%}"))
        + "</tr>"
        for one in found.classes
        for name in (one.name_zh if t.language == "zh" and one.name_zh else one.name,)
    )
    sure = t("classification.uncalibrated")
    if found.temperature != 1:
        sure = t("classification.calibrated").format(f"{found.temperature:g}")
    said = "".join(
        f"<li>{esc(one.text)} "
        + "".join(
            evidence_chip(part, number, "", t, context=context)
            for number, part in enumerate(one.evidence, start=1)
        )
        + "</li>"
        for one in found.report
    )
    return (
        f'<p class="notice warn">{esc(found.notice)}</p>'
        f"<p>{esc(found.network)} · {esc(sure)} · {found.seconds:.1f} s</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><ul>{said}</ul>"
    )
