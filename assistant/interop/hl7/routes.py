"""``/v1/hl7``: a stay as the messages that came have it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header

from assistant.api.context import ID_PATTERN, ClinicianDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.interop.fhir.routes import mapping_of
from assistant.interop.handing import encounter_now
from assistant.record.encounter import Encounter
from assistant.store import Context

router = APIRouter(prefix="/v1/hl7", tags=["HL7 v2 互联"])


@router.get("/encounters/{encounter_id}", responses=documented(404))
async def read(
    encounter_id: str,
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str, Header(pattern=ID_PATTERN)],
) -> Encounter:
    """The encounter that the tasks take; 404 where no message of it came, or of another patient."""
    context = Context(who.id, who.role, x_patient_id, encounter_id)
    mapping = mapping_of(parts)
    found = await asyncio.to_thread(encounter_now, parts.store, context, mapping)
    if found is None:
        raise Problem(404, "没有收到该患者这次就诊的消息。(No message of this stay came.)")
    return found
