"""An application with an approved model, as tests of monitoring use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from assistant.approval.approve import approve
from assistant.approval.evidence import Evidence
from assistant.approval.gate import parse_gate
from assistant.settings import Settings
from assistant.store import Approval, Store

DDX = "/v1/differential-diagnoses"


@dataclass
class Ward:
    """The application, and what a test changes of it."""

    client: TestClient
    settings: Settings
    store: Store
    evidence: Evidence

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
