"""What stands above a result: that it is a draft, what made it, warnings, the exports."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.ui.state import NotesWork
from assistant.ui.markup import attributes, badge, esc, notices
from assistant.ui.strings import Text

FORMS = ("csv", "json", "fhir")
_LEXICON = "lexicon"


def result_html(work: NotesWork, t: Text) -> str:
    """The card; "" without a result."""
    result, context = work.result, work.context
    if result is None or context is None:
        return ""
    entities = sum(len(note.entities) for note in result.notes)
    counts = t(
        "structured.counts",
        notes=len(result.notes),
        entities=entities,
        relations=sum(len(note.relations) for note in result.notes),
    )
    warnings = [*result.warnings, *(w for note in result.notes for w in note.warnings)]
    nothing = "" if entities else f'<p class="notice warn">{esc(t("structured.nothing"))}</p>'
    return (
        f'<section class="card structured" aria-label="{esc(t("structured.title"))}"><header>'
        f"<h3>{esc(t('structured.title'))}</h3>{badge(t('structured.draft'), 'plain')}"
        f"<span>{esc(counts)}</span></header>"
        f'<p class="made">{_made_by(result, t)}</p>'
        f"{notices(t('warnings'), dict.fromkeys(warnings), 'warn')}{nothing}"
        f"{_exports(work, context, t)}"
        f'<p class="disclaimer">{esc(t("disclaimer"))}</p></section>'
    )


def _made_by(result: StructuredNotes, t: Text) -> str:
    lexicon = result.model.startswith(_LEXICON)
    model = f"{t('structured.lexicon')} {result.model}" if lexicon else result.model
    parts = [f"{t('structured.model')}：{model}"]
    if result.knowledge_version:
        parts.append(t("structured.knowledge", version=result.knowledge_version))
    parts.append(t("seconds", n=result.seconds))
    return " · ".join(
        f'<span class="{css}">{esc(part)}</span>'
        for part, css in zip(parts, ("model", "seconds", "seconds"), strict=False)
    )


def _exports(work: NotesWork, context: Context, t: Text) -> str:
    if not work.request_id or work.result is None:
        return ""
    forms = [(form, form.upper()) for form in FORMS]
    if work.result.table is not None:
        forms.append(("table", t("structured.export.table")))
    buttons = "".join(_export(form, label, work, context, t) for form, label in forms)
    return (
        f'<div class="exports" role="group" aria-label="{esc(t("structured.export"))}">'
        f'<span class="hint">{esc(t("structured.export"))}</span>{buttons}</div>'
    )


def _export(form: str, label: str, work: NotesWork, context: Context, t: Text) -> str:
    """The patient goes in headers, so that no log of addresses has it."""
    suffix = {"csv": "csv", "table": "table.csv", "json": "json", "fhir": "fhir.json"}[form]
    values = attributes(
        {
            "class": "act",
            "data-do": "download",
            "data-from": f"pages/structured/{work.request_id}/{form}",
            "data-patient": context.patient_id,
            "data-encounter": context.encounter_id or None,
            "data-name": f"{context.patient_id}.{suffix}",
            "data-failed": t("structured.export.failed"),
        }
    )
    return f'<button type="button"{values}>{esc(label)}</button>'
