"""What every generated resource carries: that a machine wrote it, and about whom it is.

The security label is the one that HL7's guide on AI transparency names: AIAST, "asserted by an
artificial intelligence" (terminology.hl7.org, v3-ObservationValue).
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.interop.fhir.outgoing.kept import Kept, instant
from assistant.interop.fhir.terminology import OBSERVATION_VALUE, Resource

AI_LABEL: Resource = {
    "system": OBSERVATION_VALUE,
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
AI_DEVICE: Resource = {
    "system": "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIdeviceTypeCS",
    "code": "Artificial-Intelligence",
    "display": "All kinds of Artificial Intelligence",
}
"""What the same guide calls the device that wrote it (``Device.type``, ``agent.role``)."""

URN = "urn:bedside:fhir"
"""What the addresses of our own extensions and identifiers begin with."""

DRAFT_ZH = "【AI草稿】"
SIGNED_ZH = "本文由人工智能辅助生成，经执业医师审核并签名。"
SIGNED_EN = "AI-assisted text, reviewed and signed by a licensed doctor."


def notice(kept: Kept) -> str:
    """The visible label of a draft, or of a text that a doctor signed."""
    if kept.is_signed:
        return f"{SIGNED_ZH}（{SIGNED_EN}）"
    stale = "病历在草稿生成之后已有改动。" if kept.row.stale_at is not None else ""
    return f"{DISCLAIMER_ZH}{stale}（{DISCLAIMER_EN}）"


def title(kept: Kept) -> str:
    """The title with its label."""
    return kept.title if kept.is_signed else f"{DRAFT_ZH}{kept.title}"


def meta(kept: Kept) -> Resource:
    """``Resource.meta`` with the label; a new version with each decision that is kept."""
    return {"lastUpdated": instant(kept.last_changed), "security": [dict(AI_LABEL)]}


def subject(kept: Kept) -> Resource:
    """Whom it is about."""
    return reference("Patient", kept.row.patient_id, kept.server)


def stay(kept: Kept) -> Resource | None:
    """Which stay it is about."""
    identifier = kept.row.encounter_id
    return reference("Encounter", identifier, kept.server) if identifier else None


def reference(kind: str, identifier: str, server: str) -> Resource:
    """A Reference to what another server has: by its address, else by its identifier."""
    found: Resource = {
        "type": kind,
        "identifier": {"system": f"{URN}:{kind.lower()}", "value": identifier},
    }
    if server and urlsplit(server).scheme in ("http", "https"):
        found["reference"] = f"{server.rstrip('/')}/{kind}/{identifier}"
    return found


def practitioner(actor_id: str) -> Resource:
    """A doctor, by the id that the calls name."""
    return {
        "type": "Practitioner",
        "identifier": {"system": f"{URN}:actor", "value": actor_id},
        "display": actor_id,
    }


def narrative(*lines: str) -> Resource:
    """A Narrative of these lines, a paragraph each."""
    body = "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body or "<p>（无内容）</p>"}</div>',
    }
