"""Who asks, and about whom: the actor from the API key or the headers, the patient from both.

A client on this machine itself is a demo doctor unless the headers name another, where keys are
not required; everybody else needs a key, through a proxy on this machine too.  A key whose
role is ``system`` (a CDSS) names the doctor at its keyboard in ``X-Actor-Id``; any other key is
itself the actor.  Patients' records are for clinical roles and such systems; what goes into the
record, a doctor answers for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from assistant.api.problems import Problem
from assistant.approval.status import ApprovalStatus
from assistant.engines import Engines
from assistant.loopback import is_direct
from assistant.settings import Settings
from assistant.store import Context, Store
from assistant.store.api_keys import PREFIX
from assistant.vector_building import VectorBuilding
from assistant.work.jobs import Jobs
from assistant.work.registry import Registry
from assistant.work.resources import Resources
from assistant.work.roles import ASK_ROLES, CLINICAL_ROLES, OVERSIGHT_ROLES, Role
from knowledge.base import KnowledgeBase

DEMO_ACTOR = "demo-doctor"
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
_bearer = HTTPBearer(auto_error=False, description="An API key made by `bedside key create`.")


@dataclass(frozen=True)
class Services:
    """What the routers work with; kept on ``app.state.services``."""

    settings: Settings
    store: Store
    tasks: Registry
    resources: Resources
    approvals: ApprovalStatus
    jobs: Jobs
    vectors: VectorBuilding

    @property
    def engines(self) -> Engines:
        """The configured models."""
        return self.resources.engines

    @property
    def knowledge(self) -> KnowledgeBase:
        """The knowledge base.  Raises `KnowledgeUnavailable` while there is none."""
        return self.resources.knowledge

    @property
    def has_knowledge(self) -> bool:
        """Whether a knowledge base is open."""
        return self.resources.has_knowledge


async def services(request: Request) -> Services:
    """The application's services.  Asynchronous, as each request would wait for a thread else."""
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(services)]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the call, and through what: a key or the pages, each of which gets its turns."""

    id: str
    role: str
    source: str = "api"


BOUND_ACTOR = "bedside.actor"
"""Where the scope of a request has the actor of its session, tied to a patient already."""

LOCAL_ACTOR = Actor(DEMO_ACTOR, "doctor")
"""Who a client on this machine itself is where keys are not required."""


def key_needed(settings: Settings, request: HTTPConnection) -> bool:
    """Whether this request must carry a key: always, unless it comes from this machine itself."""
    return settings.keys_required or not is_direct(request)


async def actor(
    request: Request,
    parts: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    x_actor_id: Annotated[str | None, Header(pattern=ID_PATTERN)] = None,
    x_actor_role: Annotated[Role | None, Header()] = None,
) -> Actor:
    """The actor of the call.  401 without a valid key where keys are required."""
    bound = request.scope.get(BOUND_ACTOR)
    if isinstance(bound, Actor):
        return bound
    key = None
    needed = key_needed(parts.settings, request)
    local = Actor(x_actor_id or LOCAL_ACTOR.id, x_actor_role or LOCAL_ACTOR.role)
    if credentials is not None:
        key = await asyncio.to_thread(parts.store.api_keys.verify, credentials.credentials)
        if key is None:
            made_here = credentials.credentials.startswith(f"{PREFIX}_")
            if needed or made_here or await asyncio.to_thread(parts.store.api_keys.any_in_force):
                raise Problem(401, "API key 无效或已撤销。(The API key is not valid.)")
            # Clients of OpenAI's API insist on sending some key, such as EMPTY.
            return local
    if key is not None:
        source = f"key:{key.actor_id}"
        if key.role != "system" or x_actor_id is None:
            return Actor(key.actor_id, key.role, source)
        if x_actor_role is not None and x_actor_role not in CLINICAL_ROLES:
            raise Problem(403, "system 密钥只能代表临床角色。(A system key acts for clinicians.)")
        return Actor(x_actor_id, x_actor_role or "doctor", source)
    if needed:
        raise Problem(
            401,
            "需要 API key：Authorization: Bearer …（bedside key create 生成）。(API key needed.)",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return local


ActorDep = Annotated[Actor, Depends(actor)]


async def oversight(who: ActorDep) -> Actor:
    """An actor that may read the audit log and purge.  403 for others."""
    if who.role not in OVERSIGHT_ROLES:
        raise Problem(403, "只有审计员或管理员可以这样做。(Needs role auditor or admin.)")
    return who


OversightDep = Annotated[Actor, Depends(oversight)]


async def clinician(who: ActorDep) -> Actor:
    """An actor that may see and send patients' records.  403 for others."""
    if who.role not in ASK_ROLES:
        raise Problem(403, "该角色不能查看或提交病历。(Needs a clinical role or role system.)")
    return who


ClinicianDep = Annotated[Actor, Depends(clinician)]


async def patient_context(
    who: ClinicianDep,
    x_patient_id: Annotated[str, Header(pattern=ID_PATTERN)],
    x_encounter_id: Annotated[str, Header(pattern=rf"^$|{ID_PATTERN}")] = "",
) -> Context:
    """The patient in whose context a draft is read or written."""
    return Context(who.id, who.role, x_patient_id, x_encounter_id)


PatientDep = Annotated[Context, Depends(patient_context)]


async def reviewer_context(parts: ServicesDep, context: PatientDep) -> Context:
    """The same for who may fill in or sign some draft; which, the review says.

    403 for others, and for a system that names nobody.
    """
    if not any(context.actor_role in task.review_roles for task in parts.tasks):
        raise Problem(
            403,
            "只有医师可以回填或签名；system 密钥须用 X-Actor-Id 指明医师。"
            "(Needs role doctor, or a system key that names the doctor in X-Actor-Id.)",
        )
    return context


ReviewerDep = Annotated[Context, Depends(reviewer_context)]


def check_header(header_patient: str | None, patient_id: str) -> None:
    """The header, if there, must name the patient of what is sent in."""
    if header_patient is not None and header_patient != patient_id:
        raise Problem(409, "X-Patient-Id 与请求中的患者不一致。(The header names another patient.)")


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Sent again with the same body, the first answer comes again.",
    ),
]
