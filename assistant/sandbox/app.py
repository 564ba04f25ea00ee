"""The small EMR: its pages, its FHIR store, its webhook."""

from __future__ import annotations

import contextlib
import hmac
import json
import time
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from assistant.interop.embed.delivery import signature
from assistant.sandbox import log_in_pages
from assistant.sandbox.hospital import FIELDS, USERS, Hospital, Stay
from assistant.sandbox.log_in import LogIn
from assistant.sandbox.peer import Bedside, BedsideFailed
from assistant.sandbox.resources import order

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_FHIR = "application/fhir+json"
OLDEST_SECONDS = 300
"""A webhook's time stamp may be so old: a copied one is not taken for ever."""

UserId = Annotated[str, Field(max_length=64)]


class Saved(BaseModel):
    """A field that is saved; ``draft``: the draft of Bedside that it was filled from."""

    user: UserId
    field: str
    text: str = Field(max_length=100_000)
    draft: str = Field(default="", max_length=64)


class Ordered(BaseModel):
    """An order that is to be signed."""

    user: UserId
    name: str = Field(min_length=1, max_length=200)


class Opened(BaseModel):
    """A page of Bedside that is opened."""

    user: UserId
    task: Literal["differential_diagnosis", "discharge_record"]


class Acting(BaseModel):
    """Who does it."""

    user: UserId


class Answered(BaseModel):
    """What the doctor did with a card."""

    service: str = Field(max_length=64)
    card: str = Field(max_length=64)
    outcome: Literal["accepted", "overridden"]
    reason: str = Field(default="known", max_length=64)


def build(hospital: Hospital, bedside: Bedside, secret: str = "") -> FastAPI:
    """The EMR beside a running Bedside; ``secret`` is that of the webhook."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        yield
        await bedside.close()

    app = FastAPI(title="Bedside sandbox", lifespan=lifespan)

    @app.exception_handler(BedsideFailed)
    async def _failed(request: Request, error: BedsideFailed) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 502)

    @app.exception_handler(_Unknown)
    async def _unknown(request: Request, error: _Unknown) -> JSONResponse:
        return JSONResponse({"detail": "没有这个用户、就诊或字段。(Unknown.)"}, 404)

    _pages(app)
    _desk(app, hospital, bedside)
    # Before the FHIR store, whose addresses take any two words.
    log_in_pages.serve(app, hospital, LogIn(bedside.own, bedside.address))
    _fhir(app, hospital)
    _webhook(app, hospital, secret)
    return app


class _Unknown(Exception):
    pass


def _pages(app: FastAPI) -> None:
    folder = files("assistant.sandbox").joinpath("assets")

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return Response(folder.joinpath("emr.html").read_bytes(), media_type=_TYPES["html"])

    @app.get("/assets/{name}", include_in_schema=False)
    def asset(name: Literal["emr.js", "emr.css"]) -> Response:
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(folder.joinpath(name).read_bytes(), media_type=kind)


def _desk(app: FastAPI, hospital: Hospital, bedside: Bedside) -> None:
    def of(encounter_id: str) -> Stay:
        stay = hospital.stays.get(encounter_id)
        if stay is None:
            raise _Unknown
        return stay

    def user(user_id: str) -> dict[str, str]:
        found = next((one for one in USERS if one["id"] == user_id), None)
        if found is None:
            raise _Unknown
        return found

    @app.get("/api/setup")
    def setup() -> dict[str, Any]:
        stays = [
            {"id": e.id, "name": e.patient.name, "department": e.department, "bed": e.bed}
            for e in (stay.encounter for stay in hospital.stays.values())
        ]
        return {"bedside": bedside.address, "users": USERS, "stays": stays, "fields": FIELDS}

    @app.get("/api/stays/{encounter_id}")
    def stay(encounter_id: str) -> dict[str, Any]:
        found = of(encounter_id)
        patient = found.encounter.patient.model_dump(mode="json", exclude_none=True)
        kept = {"fields": found.fields, "drafts": found.drafts, "signed": found.signed}
        return {"id": encounter_id, "patient": patient, **kept}

    @app.post("/api/stays/{encounter_id}/view")
    async def view(encounter_id: str, body: Acting) -> dict[str, Any]:
        who, found = user(body.user), of(encounter_id).encounter
        cards = await bedside.hook("bedside-patient-view", "patient-view", who["id"], found)
        return {"service": "bedside-patient-view", "cards": cards}

    @app.post("/api/stays/{encounter_id}/fields")
    async def save(encounter_id: str, body: Saved) -> dict[str, Any]:
        who, found = user(body.user), of(encounter_id).encounter
        if body.field not in FIELDS:
            raise _Unknown
        note = hospital.save(encounter_id, body.field, body.text, body.draft)
        await bedside.mdm(found, note)
        more = {"noteId": note.id, "noteType": note.kind, "noteTitle": note.title}
        cards = await bedside.hook(
            "bedside-note-save",
            "bedside.note-save",
            who["id"],
            found,
            noteText=note.text,
            **more,
        )
        return {"service": "bedside-note-save", "cards": cards}

    @app.post("/api/stays/{encounter_id}/discharge")
    async def discharge(encounter_id: str, body: Acting) -> dict[str, Any]:
        who, found = user(body.user), of(encounter_id).encounter
        service = "bedside-encounter-discharge"
        cards = await bedside.hook(service, "encounter-discharge", who["id"], found)
        return {"service": service, "cards": cards}

    @app.post("/api/stays/{encounter_id}/orders")
    async def sign_order(encounter_id: str, body: Ordered) -> dict[str, Any]:
        who, found = user(body.user), of(encounter_id).encounter
        draft = order(found.patient.id, found.id, "draft-1", body.name)
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
        service = "bedside-order-sign"
        cards = await bedside.hook(service, "order-sign", who["id"], found, draftOrders=bundle)
        return {"service": service, "cards": cards}

    @app.post("/api/cards")
    async def answer(body: Answered) -> dict[str, bool]:
        await bedside.feedback(body.service, body.card, body.outcome, body.reason)
        return {"ok": True}

    @app.post("/api/stays/{encounter_id}/embed")
    async def embed(encounter_id: str, body: Opened) -> dict[str, str]:
        return {"url": await bedside.embed(body.task, user(body.user), of(encounter_id).encounter)}

    @app.post("/api/stays/{encounter_id}/sign")
    async def sign(encounter_id: str, body: Acting) -> dict[str, Any]:
        """Sign what was filled in from Bedside: each text goes back with its draft."""
        who, found = user(body.user), of(encounter_id)
        by_draft: dict[str, list[str]] = {}
        for name, draft in found.drafts.items():
            by_draft.setdefault(draft, []).append(name)
        for draft, names in by_draft.items():
            text = "\n".join(found.fields[name] for name in names)
            if text and draft not in found.signed:
                found.signed[draft] = {
                    "fields": names,
                    **await bedside.signed(draft, text, who, found.encounter),
                }
        return {"signed": found.signed}

    @app.get("/api/log")
    def log() -> list[dict[str, Any]]:
        return list(hospital.logged())


def _fhir(app: FastAPI, hospital: Hospital) -> None:
    @app.get("/fhir/metadata")
    def metadata() -> Response:
        statement = {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-01-01",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "rest": [{"mode": "server"}],
        }
        return JSONResponse(statement, media_type=_FHIR)

    @app.get("/fhir/{kind}/{resource_id}")
    def read(kind: str, resource_id: str) -> Response:
        hospital.log("in", f"FHIR read {kind}")
        found = hospital.find(kind, resource_id)
        if found is None:
            issue = {"severity": "error", "code": "not-found"}
            outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
            return JSONResponse(outcome, 404, media_type=_FHIR)
        return JSONResponse(found, media_type=_FHIR)

    @app.get("/fhir/{kind}")
    def search(kind: str, request: Request) -> Response:
        hospital.log("in", f"FHIR search {kind}")
        found = hospital.search(kind, dict(request.query_params))
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "entry": entries,
        }
        if not entries:
            del bundle["entry"]
        return JSONResponse(bundle, media_type=_FHIR)


def _webhook(app: FastAPI, hospital: Hospital, secret: str) -> None:
    @app.post("/webhook")
    async def receive(request: Request) -> Response:
        """Accepted texts; what is not signed by our secret, or is old, is not taken."""
        body = await request.body()
        stamp = request.headers.get("x-bedside-timestamp", "")
        given = request.headers.get("x-bedside-signature", "")
        if not secret or not hmac.compare_digest(
            given.encode(), signature(secret, stamp, body).encode()
        ):
            hospital.log("in", "webhook", answer="HTTP 401")
            return Response(status_code=401)
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > OLDEST_SECONDS:
            return Response(status_code=401)
        new = hospital.receive(request.headers.get("idempotency-key", ""), json.loads(body))
        hospital.log("in", "webhook draft.accepted", answer="HTTP 204", repeated=not new)
        return Response(status_code=204)

    @app.get("/api/received")
    def received() -> list[dict[str, Any]]:
        return list(hospital.received())
