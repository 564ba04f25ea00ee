"""What the small EMR says to a running Bedside, over real HTTP and MLLP."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Any

from assistant.interop.hl7.sending import SendFailed, send
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.sandbox.hospital import Hospital

SECONDS = 60.0


class BedsideFailed(Exception):
    """Bedside did not do it; the message is its own sentence, or why it cannot be reached."""


class Bedside:
    """One running Bedside.  ``key`` is an API key of role ``system``, or empty on loopback."""

    def __init__(
        self, hospital: Hospital, address: str, own: str, key: str = "", mllp: int = 0
    ) -> None:
        import httpx

        self.address = address.rstrip("/")
        self.own = own
        self._hospital = hospital
        self._mllp = mllp
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(
            base_url=self.address, headers=headers, timeout=SECONDS, trust_env=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def hook(self, service: str, hook: str, user: str, stay: Encounter, **more: Any) -> Any:
        """The cards of a CDS Hooks service; what it needs it reads from our FHIR store."""
        context = {
            "userId": f"Practitioner/{user}",
            "patientId": stay.patient.id,
            "encounterId": stay.id,
            "department": stay.department,
            **more,
        }
        body = {
            "hook": hook,
            "hookInstance": str(uuid.uuid4()),
            "fhirServer": f"{self.own}/fhir",
            "context": context,
        }
        answer = await self._post(f"/cds-services/{service}", body, f"CDS Hooks {hook}")
        return answer["cards"]

    async def feedback(self, service: str, card: str, outcome: str, reason: str) -> None:
        """What became of a card."""
        feedback: dict[str, Any] = {"card": card, "outcome": outcome}
        feedback["outcomeTimestamp"] = datetime.now().astimezone().isoformat(timespec="seconds")
        if outcome == "overridden":
            feedback["overrideReason"] = {
                "reason": {"code": reason, "system": "urn:bedside:override-reasons"}
            }
        else:
            feedback["acceptedSuggestions"] = []
        body = {"feedback": [feedback]}
        await self._post(f"/cds-services/{service}/feedback", body, "CDS Hooks feedback")

    async def embed(self, task: str, user: dict[str, str], stay: Encounter) -> str:
        """The address of a page for this user and stay, good once."""
        body = {
            "task": task,
            "patient_id": stay.patient.id,
            "encounter_id": stay.id,
            "origin": self.own,
        }
        made = await self._post("/v1/embed-sessions", body, f"embed {task}", _acting(user))
        return str(made["url"])

    async def signed(
        self, draft: str, text: str, user: dict[str, str], stay: Encounter
    ) -> dict[str, Any]:
        """The signed text of a draft comes back; gives edit distance and seconds."""
        headers = _acting(user) | {"X-Patient-Id": stay.patient.id, "X-Encounter-Id": stay.id}
        place = f"/v1/drafts/{draft}/signature"
        kept = await self._post(place, {"text": text}, "signature 签名返回", headers)
        return {name: kept.get(name) for name in ("edit_distance", "seconds_to_acceptance")}

    async def mdm(self, stay: Encounter, note: Note) -> None:
        """A saved note as MDM^T02 over MLLP, where Bedside listens."""
        if not self._mllp:
            return
        host = self.address.partition("://")[2].partition(":")[0]
        try:
            code, text = await asyncio.to_thread(send, host, self._mllp, _mdm(stay, note))
        except SendFailed as error:
            code, text = "—", str(error)
        self._hospital.log("out", f"MLLP MDM^T02 {note.title}", answer=f"{code} {text}".strip())

    async def _post(
        self, path: str, body: Any, what: str, headers: dict[str, str] | None = None
    ) -> Any:
        import httpx

        try:
            answer = await self._http.post(path, json=body, headers=headers)
        except httpx.HTTPError as error:
            self._hospital.log("out", what, answer=type(error).__name__)
            raise BedsideFailed(
                f"无法连接 Bedside（{self.address}），请先运行 bedside serve。"
                "(Bedside cannot be reached.)"
            ) from error
        self._hospital.log("out", what, answer=f"HTTP {answer.status_code}")
        reply = answer.json() if answer.content else {}
        if answer.is_success:
            return reply
        raise BedsideFailed(str(reply.get("detail") or f"HTTP {answer.status_code}"))


def _acting(user: dict[str, str]) -> dict[str, str]:
    return {"X-Actor-Id": user["id"], "X-Actor-Role": user["role"]}


def _mdm(stay: Encounter, note: Note) -> bytes:
    escapes = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
    text = "".join(escapes.get(c, c) for c in note.text).replace("\n", "\\.br\\")
    now = datetime.now().strftime("%Y%m%d%H%M%S")
    sex = {"male": "M", "female": "F"}.get(stay.patient.sex or "", "U")
    place = f"{stay.ward}^^{stay.bed}"
    segments = (
        f"MSH|^~\\&|SANDBOX|SANDBOX|BEDSIDE||{now}||MDM^T02|{uuid.uuid4().hex[:20]}|P|2.5.1"
        "||||||UNICODE UTF-8",
        f"EVN|T02|{now}",
        f"PID|1||{stay.patient.id}^^^H^PI||{stay.patient.name}|||{sex}",
        f"PV1|1|I|{place}|||||||{stay.department}|||||||||{stay.id}",
        f"TXA|1|{note.id}^{note.title}|TX|{now}||||||||{note.id}|||||AU||AV",
        f"OBX|1|TX|NOTE^{note.title}||{text}||||||F",
        "",
    )
    return "\r".join(segments).encode()
