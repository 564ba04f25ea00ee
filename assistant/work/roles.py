"""Who a caller may be."""

from __future__ import annotations

from typing import Literal

Role = Literal["system", "doctor", "nurse", "pharmacist", "student", "auditor", "admin"]
CLINICAL_ROLES = frozenset({"doctor", "nurse", "pharmacist", "student"})
OVERSIGHT_ROLES = frozenset({"auditor", "admin"})
ASK_ROLES = CLINICAL_ROLES | {"system"}
"""May see and send patients' records, unless a task says otherwise."""

REVIEW_ROLES = frozenset({"doctor"})
"""May fill in and sign: what goes into the record, a doctor answers for."""
