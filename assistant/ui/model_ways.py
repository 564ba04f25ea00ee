"""Where each model stands, as a table: now, how it came there, and its floors."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.monitoring.floors import Judgement
from assistant.monitoring.model_way import ModelWay, Stage
from assistant.record.fields import local_time
from assistant.ui.markup import badge, esc
from assistant.ui.strings import Text

_COLOURS = {
    "approved": "good",
    "monitored": "good",
    "returned": "critical",
    "revoked": "warn",
}
_DETAILS = {
    "candidate": "system.ways.tasks",
    "shadow": "system.ways.answers",
    "monitored": "system.ways.counted",
}


def ways(found: Sequence[ModelWay], t: Text) -> str:
    """The HTML of the section."""
    heads = "".join(
        f'<th scope="col">{esc(t(key))}</th>'
        for key in ("system.name", "system.ways.now", "system.ways.way", "system.ways.floors")
    )
    rows = "".join(
        f"<tr><td>{esc(one.engine)}<br><span class='hint'>{esc(one.model)}</span></td>"
        f"<td>{badge(t('stage.' + one.stage), _COLOURS.get(one.stage, 'demo'))}</td>"
        f"<td>{_way(one.way, t)}</td><td>{_floors(one.floors, t)}</td></tr>"
        for one in found
    )
    return (
        f'<p class="hint">{esc(t("system.ways.hint"))}</p>'
        f'<table id="model-ways"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _way(way: Sequence[Stage], t: Text) -> str:
    return "<br>".join(_step(stage, t) for stage in way)


def _step(stage: Stage, t: Text) -> str:
    said = [t("stage." + stage.name)]
    if stage.at is not None:
        said.append(f"{local_time(stage.at):%Y-%m-%d %H:%M}")
    if stage.by:
        said.append(stage.by)
    if stage.detail:
        key = _DETAILS.get(stage.name)
        said.append(t(key, what=stage.detail) if key else stage.detail)
    return esc(" · ".join(said))


def _floors(floors: Sequence[Judgement], t: Text) -> str:
    return "<br>".join(_floor(one, t) for one in floors)


def _floor(one: Judgement, t: Text) -> str:
    said = f"{one.task} {one.floor}："
    if one.holds is None:
        return esc(said + t("system.ways.few", n=one.drafts, wanted=one.wanted))
    return esc(said) + badge(f"{one.mean or 0.0:.3f}", "good" if one.holds else "critical")
