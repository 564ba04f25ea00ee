"""What is served at ``/fhir``, as a CapabilityStatement."""

from __future__ import annotations

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.interop.fhir.terminology import Resource

SERVED = ("Composition", "DocumentReference", "Condition", "ClinicalImpression", "Provenance")
"""Made from drafts; AuditEvents are served beside them, to who may read the audit."""

DRAFT_PARAMETERS = ("patient", "encounter", "_id")
AUDIT_PARAMETERS = ("patient", "_id")
# Of the last change of the statement itself, not of the program's start: it is the same text.
_DATE = "2026-03-01"


def capability(version: str, base: str) -> Resource:
    """The statement of a server of this version at this base."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Bedside", "version": version},
        "implementation": {
            "description": f"{DISCLAIMER_ZH} {DISCLAIMER_EN}",
            "url": base,
        },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "只读：草稿与已签名文书、其来源和审计。读取时以 X-Patient-Id 或 "
                "patient 指明患者。(Read only; name the patient in X-Patient-Id or patient.)",
                "security": {
                    "cors": False,
                    "description": "API key：Authorization: Bearer …",
                },
                "resource": [
                    *(_resource(name, DRAFT_PARAMETERS) for name in SERVED),
                    _resource("AuditEvent", AUDIT_PARAMETERS),
                ],
            }
        ],
    }


def _resource(name: str, parameters: tuple[str, ...]) -> Resource:
    types = {"patient": "reference", "encounter": "reference", "_id": "token"}
    return {
        "type": name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": p, "type": types[p]} for p in parameters],
    }
