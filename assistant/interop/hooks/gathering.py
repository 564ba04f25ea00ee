"""The resources of a call: from the prefetch, else from the FHIR server; all of one patient."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.interop.hooks.fetching import Fetching, Resource, allowed_server
from assistant.interop.hooks.message import HookRequest
from assistant.interop.hooks.refusal import DataMissing, PrefetchOfAnother, WrongPatient
from assistant.interop.hooks.service import HookService
from assistant.interop.settings import HookSettings

_TOKEN = re.compile(r"\{\{context\.(\w+)\}\}")
_REFERENCE = re.compile(r"(?:^|/)Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/\S+)?$")
_MAX_DEPTH = 12

Id = tuple[str, str]
"""Type and id of a resource."""


def resolved(template: str, context: Mapping[str, Any]) -> str | None:
    """A prefetch template with the words of the context; None where one of them is missing."""
    missing = False

    def word(hit: re.Match[str]) -> str:
        nonlocal missing
        value = context.get(hit[1])
        missing = missing or not isinstance(value, str) or not value
        return str(value)

    filled = _TOKEN.sub(word, template)
    return None if missing else filled


def is_missing(value: Any) -> bool:
    """Whether a prefetched value is none: null, or an error of the server."""
    return value is None or (
        isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"
    )


def flat(resource: Any, depth: int = 0) -> Iterator[Resource]:
    """A resource, and those of a bundle one by one."""
    if not isinstance(resource, dict) or depth > _MAX_DEPTH:
        return
    if resource.get("resourceType") != "Bundle":
        yield resource
        return
    entries = resource.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            yield from flat(entry.get("resource"), depth + 1)


def is_of(resource: Resource, patient_id: str) -> bool:
    """Whether a resource says that it is about this patient, or about nobody."""
    if resource.get("resourceType") == "Patient":
        return resource.get("id") == patient_id
    for name in ("subject", "patient"):
        subject = resource.get(name)
        reference = subject.get("reference") if isinstance(subject, dict) else None
        if isinstance(reference, str):
            hit = _REFERENCE.search(reference)
            # A reference of another kind (Group, urn:uuid) names no patient that we know.
            return hit is not None and hit[1] == patient_id
    return True


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a call; ``queries`` are for what did not."""

    resources: Sequence[Resource]
    queries: Mapping[str, str]


def id_of(resource: Resource) -> Id:
    """Type and id of a resource; empty for what is no text."""
    kind, key = resource.get("resourceType"), resource.get("id")
    return kind if isinstance(kind, str) else "", key if isinstance(key, str) else ""


def sent_with(service: HookService, request: HookRequest) -> Sent:
    """What came with a call.  Raises `PrefetchOfAnother`."""
    told = request.context
    context = {**told.__dict__, **(told.model_extra or {})}
    sent = request.prefetch or {}
    found: list[Resource] = []
    queries: dict[str, str] = {}
    for name, template in service.prefetch.items():
        if name in sent and not is_missing(sent[name]):
            found += flat(sent[name])
        elif (query := resolved(template, context)) is not None:
            queries[name] = query
    if not all(is_of(resource, told.patientId) for resource in found):
        raise PrefetchOfAnother
    return Sent(found, queries)


async def gather(
    sent: Sent, request: HookRequest, settings: HookSettings, servers: Collection[str]
) -> Sequence[Resource]:
    """All resources of the call.

    Raises `WrongPatient`, `DataMissing`, `NotAllowed`.
    """
    found = sent.resources
    if sent.queries:
        found = [*found, *await _fetched(sent.queries, request, settings, servers)]
    if not any(r.get("resourceType") == "Patient" for r in found):
        raise DataMissing("没有取到患者数据。(The patient's data could not be had.)")
    return found


async def _fetched(
    queries: Mapping[str, str],
    request: HookRequest,
    settings: HookSettings,
    servers: Collection[str],
) -> list[Resource]:
    if request.fhirServer is None:
        if "patient" in queries:
            raise DataMissing(
                "缺少 prefetch，且没有 fhirServer 可读取。(The prefetch is missing and there is no "
                "fhirServer to read from.)"
            )
        # Without a server what was sent has to do.
        return []
    base = allowed_server(request.fhirServer, servers)
    given = request.fhirAuthorization
    if given is not None and given.patient not in (None, request.context.patientId):
        raise DataMissing(
            "fhirAuthorization 是另一患者的。(The fhirAuthorization is for another patient.)"
        )
    fetching = Fetching(base, given.access_token if given else "", settings)
    answers = await fetching.all(queries)
    found = [one for pages in answers.values() for page in pages for one in flat(page)]
    if not all(is_of(resource, request.context.patientId) for resource in found):
        raise WrongPatient
    return found
