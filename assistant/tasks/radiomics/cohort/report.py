"""All that is said of a study, as data; and the same as a page and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import classification, followup
from assistant.tasks.radiomics.cohort.checklist import quality, tripod
from assistant.tasks.radiomics.cohort.drawing import curves, paper
from assistant.tasks.radiomics.cohort.estimators import TITLES
from assistant.tasks.radiomics.cohort.explanation import explain
from assistant.tasks.radiomics.cohort.heat_map import heat_map
from assistant.tasks.radiomics.cohort.nested import Nested, Study
from assistant.tasks.radiomics.cohort.nomogram import nomogram
from assistant.tasks.radiomics.cohort.purpose import PURPOSE
from assistant.tasks.radiomics.cohort.saved import SavedModel
from assistant.tasks.radiomics.cohort.stability import features


def build(study: Study, nested: Nested, saved: SavedModel) -> dict[str, Any]:
    """The report as JSON holds it; every number that is not one is null."""
    cohort, model = study.cohort, saved.model
    survival = cohort.outcome.is_survival
    figures = followup.figures if survival else classification.figures
    found = features(study, nested.outer, model)
    report: dict[str, Any] = {
        "kind": "radiomics_cohort",
        "purpose": PURPOSE,
        "version": version("bedside"),
        "is_survival": survival,
        "positive": cohort.positive,
        "settings": study.settings.model_dump(mode="json") | {"outer_folds": study.outer},
        "table_sha256": cohort.sha256,
        "flow": flow(study),
        "sites": sorted(set(cohort.sites.tolist())) if cohort.has_sites else [],
        "harmonised": model.preparation.combat_ is not None,
        "notes": list(cohort.notes),
        "performance": figures(study, nested.outer),
        "candidates": _candidates(study, nested),
        "model": {
            "name": model.candidate.name,
            "selector": model.candidate.selector,
            "title": TITLES[model.candidate.model],
            "inputs": list(model.input_names),
            "thresholds": saved.cuts,
        },
        "features": {"candidates": len(cohort.names), **found},
        "counts": model.preparation.counts_,
        "nomogram": nomogram(study, model),
        "heat_map": heat_map(study, model),
        "case": _case(study, saved),
    }
    report["tripod_ai"] = tripod(report)
    report["rqs"] = quality(report)
    cleaned: dict[str, Any] = _finite(report)
    return cleaned


def flow(study: Study) -> dict[str, Any]:
    """How many cases there are, how many were left out, and which columns."""
    cohort = study.cohort
    return {
        "read": cohort.read,
        "excluded": [{"why": e.why, "cases": e.cases} for e in cohort.excluded],
        "used": len(cohort.outcome),
        "events": int(cohort.outcome.event.sum()),
        "event_title": "事件" if cohort.outcome.is_survival else f"结局为“{cohort.positive}”",
        "columns_left_out": [{"name": c.name, "why": c.why} for c in cohort.columns.left_out],
    }


def _candidates(study: Study, nested: Nested) -> list[dict[str, Any]]:
    """Each with its mean score in the inner folds of all cases, and how many outer folds
    chose it."""
    chosen = [part["candidate"] for part in nested.outer]
    rows = [
        {
            "name": choice.name,
            "score": float(np.mean([part["score"][choice.name] for part in nested.inner])),
            "chosen": chosen.count(choice.name),
        }
        for choice in study.choices
    ]
    return sorted(rows, key=lambda row: -row["score"])


def _case(study: Study, saved: SavedModel) -> dict[str, Any]:
    """The case with the greatest number, explained: it shows how a prediction is made up.

    The case is named by its place in the table, not by its id.
    """
    cohort = study.cohort
    risk = saved.model.risk(cohort.x, cohort.sites)
    row = int(np.argmax(risk))
    one = slice(row, row + 1)
    (found,) = explain(saved.model, cohort.x[one], cohort.sites[one], saved.background, saved.seed)
    return {"place": row + 1, "prediction": float(risk[row]), **found.as_data()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def pictures(report: dict[str, Any]) -> dict[str, str]:
    """Name → SVG."""
    performance = report["performance"]
    made = {
        "flow": paper.flow(report["flow"]),
        "nomogram": paper.nomogram(report["nomogram"]),
        "heat_map": paper.heat_map(report["heat_map"]),
        "case": paper.bars(report["case"]),
    }
    if report["is_survival"]:
        made["survival"] = curves.survival(performance, report["settings"]["time_unit"])
    else:
        made["roc"] = curves.roc(performance)
        made["calibration"] = curves.calibration(performance)
        made["decision"] = curves.decision(performance)
    return made


def html(report: dict[str, Any]) -> str:
    """A page that needs nothing beside it."""
    return _rendered("report.html.jinja", report, pictures(report))


def markdown(report: dict[str, Any]) -> str:
    """The figures and tables, without pictures."""
    return _rendered("report.md.jinja", report, {})


def interval(found: dict[str, float] | None, percent: bool = False) -> str:
    """``0.812（0.741–0.866）``."""
    if not found or found.get("value") is None:
        return "—"
    scale, form = (100, ".1f") if percent else (1, ".3f")
    value, low, high = (format(scale * found[k], form) for k in ("value", "low", "high"))
    return f"{value}{'%' if percent else ''}（{low}–{high}）"


def _rendered(name: str, report: dict[str, Any], drawn: dict[str, str]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assistant.tasks.radiomics.cohort"),
        autoescape=name.endswith(".html.jinja"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = interval
    environment.filters["cell"] = _cell
    return environment.get_template(name).render(r=report, svg=drawn)


def _cell(text: object) -> str:
    """Text in a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def sizes(report: dict[str, Any]) -> Sequence[str]:
    """Lines for a terminal: what was found."""
    performance, flow = report["performance"], report["flow"]
    name = "C 指数" if report["is_survival"] else "AUC"
    main = performance["c_index" if report["is_survival"] else "auc"]
    found = [row["name"] for row in report["features"]["found"]]
    return (
        f"{flow['used']} 例（{flow['event_title']} {flow['events']} 例），"
        f"{report['features']['candidates']} 个候选特征",
        f"{name} {interval(main)}，外层交叉验证",
        f"模型 {report['model']['name']}：{len(report['features']['used'])} 个特征",
        f"FDR {report['features']['false_discovery_rate']:g} 下成立的特征 {len(found)} 个："
        + ("、".join(found[:10]) or "无"),
    )
