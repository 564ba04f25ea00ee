"""``/v1/radiomics-cohorts/{id}``: report, model and predictions as files; new cases predicted."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from assistant.api.context import PatientDep, Services, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.record.fields import ShortText
from assistant.store import Context, RequestNotFound
from assistant.tasks.radiomics.cohort.draft import CohortModel
from assistant.tasks.radiomics.cohort.request import Encoded, decoded

KIND = "radiomics_cohort"
Form = Literal["html", "json", "markdown", "model", "predictions"]
TYPES: dict[str, tuple[str, str]] = {
    "html": ("text/html; charset=utf-8", "report.html"),
    "json": ("application/json", "report.json"),
    "markdown": ("text/markdown; charset=utf-8", "report.md"),
    "model": ("application/octet-stream", "model.skops"),
    "predictions": ("text/csv; charset=utf-8", "predictions.csv"),
}
_BYTE_ORDER_MARK = "\ufeff"


class CasesToPredict(BaseModel):
    """New cases with the columns of the model."""

    model_config = ConfigDict(extra="forbid")

    table: Encoded = Field(description="CSV or XLSX, as base64.")
    id: ShortText = Field("", description="Column that names a case.")

    @field_validator("table")
    @classmethod
    def _is_base64(cls, value: str) -> str:
        decoded(value)
        return value


class Predicted(BaseModel):
    """Each case's number, what it means, and what each feature added."""

    purpose: str
    model: str
    positive: str
    cases: list[dict[str, Any]]


async def result(parts: Services, context: Context, job_id: str) -> CohortModel:
    """What a job came to.  Raises `RequestNotFound`; 409 before it is there."""
    row = await asyncio.to_thread(parts.store.requests.get, context, job_id)
    if row.kind != KIND:
        raise RequestNotFound
    drafts = await asyncio.to_thread(parts.store.drafts.list, context, row.id)
    made = (parts.tasks.draft(draft.content["draft"]) for draft in drafts)
    found = next((draft for draft in made if isinstance(draft, CohortModel)), None)
    if found is None:
        raise Problem(409, "报告还没有完成，请稍后再取。(There is no report yet.)")
    return found


def written(found: CohortModel, form: Form) -> bytes:
    """One of the files."""
    import json

    from assistant.tasks.radiomics.cohort import report

    if form == "model":
        return base64.b64decode(found.model_file)
    texts = {
        "html": lambda: report.html(found.report),
        "json": lambda: json.dumps(found.report, ensure_ascii=False, indent=1),
        "markdown": lambda: report.markdown(found.report),
        # A spreadsheet takes UTF-8 without the mark for something else.
        "predictions": lambda: _BYTE_ORDER_MARK + found.predictions,
    }
    return texts[form]().encode()


def answer(found: CohortModel, form: Form) -> Response:
    """A file to be saved: a report is never shown as a page of this server."""
    media_type, name = TYPES[form]
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cache-Control": "no-store",
    }
    return Response(written(found, form), media_type=media_type, headers=headers)


def predicted(found: CohortModel, table: bytes, id_column: str) -> dict[str, Any]:
    """New cases, by the model of a job.  Raises `CohortRefused`."""
    from assistant.tasks.radiomics.cohort.prediction import predict
    from assistant.tasks.radiomics.cohort.saved import load

    with tempfile.TemporaryDirectory(prefix="bedside-cohort-") as folder:
        model, cases = Path(folder) / "model.skops", Path(folder) / "cases"
        model.write_bytes(base64.b64decode(found.model_file))
        cases.write_bytes(table)
        return predict(load(model), cases, id_column)


def add(router: APIRouter) -> None:
    """Add to the task's routes."""
    binary: dict[str, Any] = {kind.split(";")[0]: {} for kind, _ in TYPES.values()}

    @router.get(
        "/{job_id}/report",
        responses=documented(404, 409) | {200: {"content": binary}},
        response_class=Response,
    )
    async def report(
        job_id: str,
        parts: ServicesDep,
        context: PatientDep,
        form: Annotated[Form, Query(alias="format")] = "html",
    ) -> Response:
        """The report (HTML, JSON, Markdown), the model, or each case's number. 科研用途。"""
        return await asyncio.to_thread(answer, await result(parts, context, job_id), form)

    @router.post("/{job_id}/predict", responses=documented(404, 409))
    async def predict(
        job_id: str, body: CasesToPredict, parts: ServicesDep, context: PatientDep
    ) -> Predicted:
        """New cases, predicted and explained by the model of the job. 科研用途。"""
        from assistant.tasks.radiomics.cohort.refusal import CohortRefused

        found = await result(parts, context, job_id)
        try:
            made = await asyncio.to_thread(predicted, found, decoded(body.table), body.id)
        except CohortRefused as error:
            raise Problem(422, str(error)) from None
        return Predicted.model_validate(made)
