"""The cohort as HTML: columns, the report as it grows, what came out, new cases."""

from __future__ import annotations

from typing import Any

from assistant.tasks.radiomics.cohort.draft import CohortModel
from assistant.tasks.radiomics.cohort.drawing import paper
from assistant.tasks.radiomics.cohort.guess import Guess
from assistant.tasks.radiomics.cohort.routes import TYPES
from assistant.tasks.radiomics.cohort.ui.tables import EXPORTS
from assistant.ui.markup import esc
from assistant.ui.strings import Text

_SHOWN = 40
_CASES = 20


def drop_zone(does: str, text: str, t: Text) -> str:
    """Where a table is dropped; ``does`` is what the page is then told.

    Of several files the first is taken: the script of all cards reads single ones as text.
    """
    return (
        f'<div class="upload cohort-upload" data-does="{esc(does)}" '
        f'data-failed="{esc(t("cohort.failed"))}"><span class="about">{esc(t(text))}</span>'
        f'<label class="act">{esc(t("cohort.choose_file"))}'
        '<input type="file" multiple accept=".csv,.tsv,.txt,.xlsx"></label>'
        '<p class="hint small" role="status"></p></div>'
    )


def columns(guess: Guess, cases: int, t: Text) -> str:
    """What each column was taken for; those with a role first."""
    ordered = sorted(guess.columns, key=lambda column: not column.role)
    rows = [
        (
            column.name,
            _role(column.role, t),
            f"{t('cohort.number' if column.is_number else 'cohort.text')} · {column.values}",
            str(column.missing),
        )
        for column in ordered[:_SHOWN]
    ]
    heads = [t(f"cohort.{key}") for key in ("column", "role", "values", "missing")]
    said = t("cohort.columns", n=cases, m=len(guess.columns))
    more = len(ordered) - _SHOWN
    rest = f"<p>{esc(t('cohort.more', n=more))}</p>" if more > 0 else ""
    return f"<p>{esc(said)}</p>{_table(heads, rows)}{rest}"


def _role(role: str, t: Text) -> str:
    return t(f"cohort.{role or 'feature'}")


def grown(parts: dict[str, dict[str, Any]], done: int, total: int, t: Text) -> str:
    """The parts that have come so far."""
    made = ""
    if total:
        said = t("cohort.progress", done=done, total=total)
        made += f'<p>{esc(said)}</p><progress value="{done}" max="{total}"></progress>'
    if flow := parts.get("flow"):
        notes = "".join(f'<p class="notice warn">{esc(note)}</p>' for note in flow["notes"])
        made += _section(t("cohort.flow"), notes + paper.flow(flow))
    if found := parts.get("candidates"):
        rows = [(row["name"], f"{row['score']:.3f}") for row in found["candidates"]]
        made += _section(t("cohort.candidates", n=found["folds"]), _table([], rows))
    if (folds := parts.get("folds")) and folds["scores"]:
        scores = "、".join(f"{score:.3f}" for score in folds["scores"])
        made += _section(t("cohort.folds"), f"<p>{scores}</p>")
    return made


def result(found: CohortModel, study_id: str, job_id: str, t: Text) -> str:
    """What was found, its pictures, and its files."""
    from assistant.tasks.radiomics.cohort.report import pictures

    lines = "".join(f"<p>{esc(line)}</p>" for line in found.lines[1:])
    links = " · ".join(
        f'<a href="{EXPORTS}/{esc(study_id)}/{esc(job_id)}/{form}" download="{name}">'
        f"{esc(t(f'cohort.{form}'))}</a>"
        for form, (_, name) in TYPES.items()
    )
    drawn = "".join(f"<figure>{svg}</figure>" for svg in pictures(found.report).values())
    body = f"{lines}<p>{esc(t('cohort.download'))}{links}</p>{drawn}"
    return f'<p class="notice warn">{esc(found.notice)}</p>{_section(t("cohort.result"), body)}'


def predicted(found: dict[str, Any], t: Text) -> str:
    """New cases, each with what its features added."""
    made = ""
    for case in found["cases"][:_CASES]:
        number = case["probability"] if "probability" in case else case["risk"]
        notes = "".join(f'<p class="hint">{esc(note)}</p>' for note in case["notes"])
        made += f"<h4>{esc(case['id'])}: {number:.3f}</h4>{notes}{paper.bars(case['explanation'])}"
    return _section(t("cohort.predicted"), made)


def _section(title: str, body: str) -> str:
    return f'<section class="card" aria-label="{esc(title)}"><h3>{esc(title)}</h3>{body}</section>'


def _table(heads: list[str], rows: list[Any]) -> str:
    head = "".join(f'<th scope="col">{esc(one)}</th>' for one in heads)
    head = f"<thead><tr>{head}</tr></thead>" if heads else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{head}<tbody>{body}</tbody></table>"
