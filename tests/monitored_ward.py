"""An application with an approved model, as tests of monitoring use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from assistant.api.context import Services
from assistant.approval.approve import approve
from assistant.approval.evidence import Evidence
from assistant.approval.gate import parse_gate
from assistant.settings import Settings
from assistant.store import Approval, Context, Store

DDX = "/v1/differential-diagnoses"


@dataclass
class Ward:
    """The application, and what a test changes of it."""

    client: TestClient
    settings: Settings
    parts: Services
    evidence: Evidence

    @property
    def store(self) -> Store:
        """The application's store."""
        return self.parts.store

    def approve(self) -> Approval:
        """By 王主任, of the model of the panel's member 甲."""
        gate = parse_gate("overall>=60")
        return approve(self.settings, self.store, "ward", self.evidence, [gate], by="王主任")

    def ask(self, case: dict[str, Any], times: int = 1) -> dict[str, Any]:
        """The last draft of the panel's member."""
        found: dict[str, Any] = {}
        for _ in range(times):
            job = self.client.post(DDX, params={"wait": True}, json=case).json()
            found = next(d for d in job["drafts"] if d["member"] == "甲")
        return found

    def repeat(self, draft_id: str, times: int) -> list[str]:
        """Drafts of requests of their own that say what this one says; quicker than asking."""
        patient = Context("demo-doctor", "doctor", "pat-1", "enc-1")
        row = self.store.drafts.get(patient, draft_id)
        request = self.store.requests.get(patient, row.request_id)
        found = []
        for _ in range(times):
            asked = self.store.requests.submit(
                patient, request.kind, request.payload, request.record_hash
            )
            self.store.requests.claim(asked.id)
            self.store.requests.finish(asked.id)
            made = self.store.drafts.add(
                patient,
                asked.id,
                row.kind,
                row.member,
                row.section,
                row.content,
                record_hash=row.record_hash,
                model=row.model,
                prompt_version=row.prompt_version,
                knowledge_version=row.knowledge_version,
            )
            found.append(made.id)
        return found
