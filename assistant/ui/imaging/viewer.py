"""The place on a page in which slices are looked at and measured; what happens in it is in
``assets/viewer_*.js``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from assistant.store import Context
from assistant.ui.imaging.viewer_routes import ROOT
from assistant.ui.markup import esc
from assistant.ui.strings import Text

_ASSETS = files("assistant.ui.imaging").joinpath("assets")
SCRIPT = "".join(
    _ASSETS.joinpath(name).read_text(encoding="utf-8")
    for name in (
        "slice_store.js",
        "measure.js",
        "viewer_parts.js",
        "viewer_fetch.js",
        "viewer_paint.js",
        "viewer_tools.js",
        "viewer_controls.js",
        "viewer_input.js",
    )
)
STYLE = _ASSETS.joinpath("viewer.css").read_text(encoding="utf-8")
_WORDS = (
    "axial", "coronal", "sagittal", "auto", "soft", "lung", "bone", "brain", "probe", "length",
    "region", "window", "clear", "slice", "time", "opacity", "all", "mean", "curve", "keys",
    "keys_title", "plane_label", "window_label",
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """Which series are shown, with which labels (see `viewer_routes.Asked`), beginning in which
    window; another ``revision`` has them opened again."""

    series: tuple[str, ...]
    labels: tuple[str, ...] = ()
    step: float | None = None
    window: str = "auto"
    revision: int = 0


def place(task: str, view: View | None, context: Context | None, t: Text) -> str:
    """Nothing where there is nothing to look at."""
    if view is None or context is None or not view.series:
        return ""
    told = {
        "base": f"{ROOT}/{task}",
        "patient": context.patient_id,
        "encounter": context.encounter_id or "",
        "series": ",".join(view.series),
        "labels": json.dumps(view.labels, ensure_ascii=False),
        "step": "" if view.step is None else f"{view.step:g}",
        "window": view.window,
        "revision": str(view.revision),
        "words": json.dumps({key: t(f"viewer.{key}") for key in _WORDS}, ensure_ascii=False),
    }
    data = " ".join(f'data-{key}="{esc(value)}"' for key, value in told.items())
    return f'<div class="viewer" {data}></div>'
