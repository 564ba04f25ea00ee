"""The calls of `bench.hooks`: visits to invented charts, each call with a signed token."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.record.encounter import Encounter
from assistant.sandbox.hospital import Hospital
from assistant.sandbox.resources import order, resources_of

ISSUER = "https://emr.example"
VISIT = (
    "patient-view",
    "bedside.note-open",
    *["order-select"] * 5,
    "order-sign",
    "bedside.note-save",
)
SERVICES = {
    "patient-view": "bedside-patient-view",
    "bedside.note-open": "bedside-note-open",
    "order-select": "bedside-order-select",
    "order-sign": "bedside-order-sign",
    "bedside.note-save": "bedside-note-save",
}
DRUGS = (
    "阿莫西林胶囊", "头孢曲松钠注射剂", "华法林钠片", "布洛芬缓释胶囊", "氯化钾缓释片",
    "二甲双胍片", "左氧氟沙星片", "呋塞米片", "奥美拉唑肠溶胶囊", "阿托伐他汀钙片",
)  # fmt: skip
KINDS = {
    "Condition": "conditions",
    "AllergyIntolerance": "allergies",
    "MedicationRequest": "medications",
    "Observation": "observations",
    "DocumentReference": "documents",
}


@dataclass
class Call:
    """One call: when it is due (seconds from the start), where to, and its body in pieces."""

    due: float
    service: str
    head: bytes
    prefetch: bytes
    token: str = ""


def chart_of(encounter: Encounter, number: int) -> tuple[Encounter, bytes]:
    """The stay as another patient's, and its prefetch."""
    mark = f"p{number}"
    text = encounter.model_dump_json().replace(encounter.id, f"enc-{mark}")
    one = Encounter.model_validate_json(text.replace(encounter.patient.id, f"pat-{mark}"))
    notes = [n.model_copy(update={"text": f"{n.text}\n病案号：{mark}。"}) for n in one.notes]
    one = one.model_copy(update={"notes": notes})
    resources = resources_of(one)
    found: dict[str, Any] = {}
    for resource in resources:
        kind = resource["resourceType"]
        if kind == "Patient":
            found["patient"] = resource
        elif kind == "Encounter":
            found["encounter"] = resource
            found["encounters"] = _bundle([resource])
    for kind, name in KINDS.items():
        found[name] = _bundle([r for r in resources if r["resourceType"] == kind])
    return one, json.dumps(found, ensure_ascii=False).encode()


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} for one in resources],
    }


def plan(rate: float, seconds: float, seed: int, first: int = 0) -> list[Call]:
    """All calls in the order in which they are due: visits begin evenly and take some 20 s."""
    dice = random.Random(seed)
    stays = [stay.encounter for stay in Hospital().stays.values()]
    calls: list[Call] = []
    wanted = int(rate * seconds)
    for number in range(-(-wanted // len(VISIT))):
        encounter, prefetch = chart_of(stays[number % len(stays)], first + number)
        begins = number * len(VISIT) / rate
        gaps = [dice.expovariate(1 / 2.5) for _ in VISIT]
        for place, hook in enumerate(VISIT):
            due = begins + sum(gaps[: place + 1])
            calls.append(Call(due, SERVICES[hook], _head(hook, encounter, dice), prefetch))
    # Visits overlap; the rate is made even, as what is measured is the rate.
    calls.sort(key=lambda call: call.due)
    for place, call in enumerate(calls[:wanted]):
        call.due = place / rate
    return calls[:wanted]


def _head(hook: str, encounter: Encounter, dice: random.Random) -> bytes:
    patient, stay = encounter.patient.id, encounter.id
    context: dict[str, Any] = {
        "userId": f"Practitioner/doc-{dice.randrange(200)}",
        "patientId": patient,
        "encounterId": stay,
    }
    if hook.startswith("order"):
        names = dice.sample(DRUGS, 3)
        drafts = [order(patient, stay, f"rx{n}", name) for n, name in enumerate(names)]
        context["draftOrders"] = _bundle(drafts)
        if hook == "order-select":
            context["selections"] = [f"MedicationRequest/rx{dice.randrange(3)}"]
    if hook.startswith("bedside.note"):
        context["noteType"] = "progress"
    if hook == "bedside.note-save":
        context |= {
            "noteId": "note-new",
            "noteText": "今日查房，患者诉咳嗽较前减轻，无发热，无胸痛。",
        }
    told = {
        "hook": hook,
        "hookInstance": str(uuid.UUID(int=dice.getrandbits(128))),
        "context": context,
    }
    return json.dumps(told, ensure_ascii=False)[:-1].encode() + b', "prefetch": '


class Client:
    """The system that calls: it signs a token for each call."""

    def __init__(self, base: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._base = base
        self._key = ec.generate_private_key(ec.SECP384R1())

    def sign(self, calls: Sequence[Call]) -> None:
        """Give each call its token."""
        import jwt

        now = int(time.time())
        for call in calls:
            claims = {
                "iss": ISSUER,
                "aud": f"{self._base}/cds-services/{call.service}",
                "iat": now,
                "exp": now + 600,
                "jti": str(uuid.uuid4()),
            }
            call.token = jwt.encode(claims, self._key, algorithm="ES384", headers={"kid": "k"})

    def jwk(self) -> dict[str, str]:
        """The public key."""
        numbers = self._key.public_key().public_numbers()
        x, y = (
            base64.urlsafe_b64encode(n.to_bytes(48, "big")).rstrip(b"=").decode()
            for n in (numbers.x, numbers.y)
        )
        return {"kty": "EC", "crv": "P-384", "x": x, "y": y, "kid": "k", "alg": "ES384"}
