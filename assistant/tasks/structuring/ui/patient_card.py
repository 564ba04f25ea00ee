"""The patient over the notes: problems, medication, allergies, results, timeline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.tasks.structuring.patient import MedicationEntry, PatientView, Place, ProblemEntry
from assistant.tasks.structuring.ui.entity_table import code_html
from assistant.tasks.structuring.ui.place import address, place_button
from assistant.tasks.structuring.ui.timeline import timeline_html
from assistant.tasks.structuring.ui.trend import trends_html
from assistant.ui.markup import esc
from assistant.ui.strings import Text

MOST_PLACES = 12
"""Buttons for so many mentions; the table of entities has them all."""

_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")

Titles = Mapping[str, str]
"""Note id → its title."""


def patient_html(view: PatientView, titles: Titles, t: Text) -> str:
    """All parts of the view; parts without anything in them are left out, but for problems."""
    none = f'<p class="hint">{esc(t("patient.none"))}</p>'
    problems = _entries([_problem(p, titles, t) for p in view.problems]) or none
    family = _entries([_problem(p, titles, t) for p in view.family])
    medications = _entries([_medication(m, titles, t) for m in view.medications])
    columns = (
        _section("problems", problems, t)
        + _section("allergies", _allergies(view.allergies, titles), t, css="alert")
        + _section("family", family, t),
        _section("medications", medications, t),
    )
    beside = "".join(f'<div class="column">{column}</div>' for column in columns if column)
    return (
        f'<div class="patient-view"><div class="beside">{beside}</div>'
        f"{_section('results', trends_html(view.results, t), t)}"
        f"{_section('timeline', timeline_html(view.timeline, titles, t), t)}</div>"
    )


def _section(name: str, body: str, t: Text, *, css: str = "") -> str:
    """A titled part; "" where there is nothing in it."""
    if not body:
        return ""
    title = esc(t(f"patient.{name}"))
    return (
        f'<section class="card {css}" aria-label="{title}"><header><h3>{title}</h3></header>'
        f"{body}</section>"
    )


def _entries(items: Sequence[str]) -> str:
    return f'<ul class="view-list">{"".join(items)}</ul>' if items else ""


def _problem(problem: ProblemEntry, titles: Titles, t: Text) -> str:
    first = problem.places[-1]
    conflict = (
        f'<span class="badge warn" title="{esc(t("problem.conflicting.why"))}">'
        f"⚠ {esc(t('problem.conflicting'))}</span>"
        if problem.conflicting
        else ""
    )
    since = f'<span class="hint">{esc(_since(problem.since, t))}</span>' if problem.since else ""
    return (
        f'<li><span class="line">{_status(problem.status, t(f"problem.status.{problem.status}"))}'
        f"{place_button(problem.name, _at(first), css='name')}{conflict}{since}"
        f"{''.join(map(code_html, problem.codes))}</span>{_places(problem.places, titles, t)}</li>"
    )


def _since(words: str, t: Text) -> str:
    """A date as 自 2024-03, how long as the note says it."""
    return t("problem.since", when=words) if _DATE.fullmatch(words) else words


def _medication(drug: MedicationEntry, titles: Titles, t: Text) -> str:
    dose = f"<span>{esc(drug.dose)}</span>" if drug.dose else ""
    return (
        f'<li><span class="line">{_status(drug.status, t(f"drug.{drug.status}"))}'
        f"{place_button(drug.name, _at(drug.places[-1]), css='name')}{dose}</span>"
        f"{_places(drug.places, titles, t)}</li>"
    )


def _allergies(places: Sequence[Place], titles: Titles) -> str:
    items = [
        f'<li><span class="line">⚠ {place_button(p.text, _at(p), css="name")}'
        f'<span class="hint">{esc(titles.get(p.note_id, p.note_id))}</span></span></li>'
        for p in places
    ]
    return _entries(items)


def _status(status: str, word: str) -> str:
    return f'<span class="status-word {esc(status)}">{esc(word)}</span>'


def _places(places: Sequence[Place], titles: Titles, t: Text) -> str:
    """A small button for each mention, where there are several."""
    if len(places) < 2:
        return ""
    buttons = "".join(
        place_button(
            str(number),
            _at(place),
            css="mention",
            title=f"{titles.get(place.note_id, place.note_id)}：{place.text}",
        )
        for number, place in enumerate(places[:MOST_PLACES], 1)
    )
    said = esc(t("problem.places", n=len(places)))
    return f'<span class="mentions">{said} {buttons}</span>'


def _at(place: Place) -> str:
    return address(place.note_id, place.start, place.end)
