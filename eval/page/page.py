"""What the page shows and serves; who may see it is decided by the program that mounts it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from eval.comparison import compare, read_sides
from eval.errors import EvalError
from eval.page.strings import text
from eval.recorded import EVALUATIONS, Library, Recorded
from eval.report import clinical as clinical_report
from eval.report import render
from eval.significance import RESAMPLES

KEY = "evaluation"
VIEW = "evaluation-view"
"""The frame that reports open in."""

COMMANDS = """bedside eval run --data dev.jsonl --engine ""
bedside eval --help"""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)
"""A report runs and loads nothing."""

_TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


class Host(Protocol):
    """What the mounting program gives to the page."""

    @property
    def home(self) -> Path:
        """The data home of the installation."""

    @property
    def anyone(self) -> Callable[..., Any]:
        """A dependency of FastAPI that refuses whoever is not signed in."""

    @property
    def clinician(self) -> Callable[..., Any]:
        """A dependency of FastAPI that refuses who may not see patients' records."""

    def approved_runs(self) -> Mapping[str, str]:
        """Folder of a run → who approved what runs now because of it."""


class EvaluationPage:
    """The page 评测."""

    key = KEY
    title = ("评测", "Evaluation")

    def __init__(self) -> None:
        self._libraries: dict[Path, Library] = {}
        self._environment = Environment(
            loader=PackageLoader("eval", "page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def draw(
        self, host: Host, base: str, language: str, *, clinical: bool
    ) -> tuple[str, str, bool]:
        """The list, what stands below it, and whether a run is under way.  Reads the disk.

        ``base`` is the address of the page's routes; only who is ``clinical`` gets to the reports.
        """
        runs = self._library(host).all()
        approvers = host.approved_runs()
        values = {
            "t": lambda key: text(key, language),
            "runs": runs,
            "comparable": [run for run in runs if run.comparable],
            "commands": COMMANDS,
            "clinical": clinical,
            "language": language,
            "base": base,
            "view": VIEW,
            "approver": lambda run: approvers.get(str(run.folder.resolve()), ""),
            "address": lambda run: f"{base}/runs/{quote(run.name)}/report",
        }
        listed, below = (
            self._environment.get_template(f"{name}.html.jinja").render(values)
            for name in ("list", "view")
        )
        return listed, below, any(run.running for run in runs)

    def router(self, host: Host) -> APIRouter:
        """The routes: reports for clinical roles, comparisons (scores only) for the signed-in."""
        routes = APIRouter(include_in_schema=False)

        @routes.get("/hint", dependencies=[Depends(host.anyone)])
        async def hint(language: str = "zh") -> Response:
            return self._sentence(text("view.hint", language), language=language)

        @routes.get("/runs/{name}/report.{suffix}", dependencies=[Depends(host.clinician)])
        async def report(name: str, suffix: str, download: bool = False) -> Response:
            if suffix not in _TYPES:
                return self._sentence("There is no such form of a report.", 404)
            try:
                run = await asyncio.to_thread(self._library(host).get, name)
                content = await asyncio.to_thread(_rendered, run, suffix)
            except EvalError as error:
                return self._sentence(str(error), 404)
            headers = {"Content-Security-Policy": POLICY}
            if download:
                headers["Content-Disposition"] = (
                    f"attachment; filename*=UTF-8''{quote(f'{name}.{suffix}')}"
                )
            return Response(content, media_type=_TYPES[suffix], headers=headers)

        @routes.get("/comparison", dependencies=[Depends(host.anyone)])
        async def comparison(
            a: str, b: str, margin: Annotated[float, Query(ge=0, le=100)] = 1.0
        ) -> Response:
            try:
                content = await asyncio.to_thread(self._compared, host, a, b, margin)
            except EvalError as error:
                return self._sentence(str(error), 409)
            return HTMLResponse(content, headers={"Content-Security-Policy": POLICY})

        return routes

    def _library(self, host: Host) -> Library:
        return self._libraries.setdefault(host.home, Library(host.home / EVALUATIONS))

    def _compared(self, host: Host, a: str, b: str, margin: float) -> str:
        library = self._library(host)
        first, second = (library.get(name).folder for name in (a, b))
        sides = read_sides(first, second)
        found = compare(sides.track, sides.samples, sides.a, sides.b, margin=margin)
        return render.comparison_html(
            found,
            {
                "a": a,
                "b": b,
                "made": time.strftime("%Y-%m-%d %H:%M %z"),
                "facts": {**sides.facts, "resamples": str(RESAMPLES)},
            },
        )

    def _sentence(self, sentence: str, status: int = 200, language: str = "zh") -> HTMLResponse:
        template = self._environment.get_template("sentence.html.jinja")
        content = template.render(sentence=sentence, language=language)
        return HTMLResponse(content, status, headers={"Content-Security-Policy": POLICY})


def _rendered(run: Recorded, suffix: str) -> str:
    """The report in one form.

    Raises:
        EvalError: there is nothing to report yet.
    """
    if run.result is not None:
        if suffix == "json":
            return run.result.model_dump_json(indent=1)
        forms = {"html": clinical_report.result_html, "md": clinical_report.result_markdown}
        return forms[suffix](run.result)
    if not run.summary:
        raise EvalError(run.problem or "There is nothing to report yet.")
    if suffix == "json":
        return json.dumps(run.summary, ensure_ascii=False, indent=1)
    return {"html": render.report_html, "md": render.report_markdown}[suffix](run.summary)


page = EvaluationPage()
