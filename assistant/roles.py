"""Who may ask: the roles that a key or a request names."""

from typing import Literal

Role = Literal["system", "doctor", "nurse", "pharmacist", "student", "auditor", "admin"]
CLINICAL_ROLES = {"doctor", "nurse", "pharmacist", "student"}
OVERSIGHT_ROLES = {"auditor", "admin"}
