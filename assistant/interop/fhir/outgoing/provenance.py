"""Where a draft comes from: model, prompt, knowledge and record, and who accepted it."""

from __future__ import annotations

from assistant.interop.fhir.outgoing import label
from assistant.interop.fhir.outgoing.composition import device
from assistant.interop.fhir.outgoing.impression import conditions, impression
from assistant.interop.fhir.outgoing.kept import Kept, instant
from assistant.interop.fhir.terminology import TERMINOLOGY, Resource

_AGENT = f"{TERMINOLOGY}/provenance-participant-type"


def provenance(
    kept: Kept, asked_by: str = "", application: str = "", version: str = ""
) -> Resource:
    """The Provenance of all resources made from one draft.

    ``asked_by`` and ``application`` are who asked for it and through what.
    """
    row = kept.row
    ai = _agent("assembler", _model(kept, version))
    agents = [
        _agent("author", device(kept)),
        # By HL7's AI Transparency guide: the agent that is a model says so, as does the reason.
        ai | {"role": [{"coding": [dict(label.AI_DEVICE)]}]},
    ]
    if asked_by:
        agents.append(_asker(asked_by, application))
    if row.accepted_by:
        agents.append(_agent("verifier", label.practitioner(row.accepted_by)))
    if row.signed_by:
        agents.append(_agent("legal", label.practitioner(row.signed_by)))
    made: Resource = {
        "resourceType": "Provenance",
        "id": row.id,
        "meta": label.meta(kept),
        "text": label.narrative(label.notice(kept)),
        "contained": [_device(kept, version)],
        "target": [{"reference": name} for name in _targets(kept)],
        "occurredDateTime": instant(row.created_at),
        "recorded": instant(kept.last_changed),
        "reason": [{"coding": [dict(label.AI_LABEL)]}],
        "agent": agents,
    }
    sources = [
        ("record-hash", row.record_hash, "source"),
        ("prompt-version", row.prompt_version, "derivation"),
        ("knowledge-version", row.knowledge_version, "source"),
    ]
    entities = [
        {
            "role": role,
            "what": {"identifier": {"system": f"{label.URN}:{name}", "value": value}},
        }
        for name, value, role in sources
        if value
    ]
    if entities:
        made["entity"] = entities
    return made


def _targets(kept: Kept) -> list[str]:
    found = [f"Composition/{kept.row.id}", f"DocumentReference/{kept.row.id}"]
    if impression(kept) is not None:
        found.append(f"ClinicalImpression/{kept.row.id}")
    return found + [f"Condition/{c['id']}" for c in conditions(kept)]


def _asker(asked_by: str, application: str) -> Resource:
    """The user, or the application on the user's behalf."""
    user = label.practitioner(asked_by)
    if not application:
        return _agent("enterer", user)
    who: Resource = {
        "type": "Device",
        "identifier": {"system": f"{label.URN}:application", "value": application},
        "display": application,
    }
    return _agent("enterer", who) | {"onBehalfOf": user}


def _agent(role: str, who: Resource) -> Resource:
    return {"type": {"coding": [{"system": _AGENT, "code": role}]}, "who": who}


def _model(kept: Kept, version: str) -> Resource:
    return {"reference": "#ai", "display": kept.row.model or f"Bedside {version}".strip()}


def _device(kept: Kept, version: str) -> Resource:
    """The program and its model, as a contained Device."""
    row = kept.row
    names = [{"name": "Bedside", "type": "manufacturer-name"}]
    if row.model:
        names.append({"name": row.model, "type": "model-name"})
    versions = [("software", version), ("prompt", row.prompt_version)]
    versions.append(("knowledge", row.knowledge_version))
    made: Resource = {
        "resourceType": "Device",
        "id": "ai",
        "deviceName": names,
        "type": {"coding": [dict(label.AI_DEVICE)], "text": "人工智能 Artificial Intelligence"},
    }
    if known := [{"type": {"text": name}, "value": value} for name, value in versions if value]:
        made["version"] = known
    return made
