"""Why an instance is not taken, as the status of a C-STORE response (PS3.4 table B.2-1)."""

from __future__ import annotations

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
NOT_ITS_CLASS = 0xA900
NOT_UNDERSTOOD = 0xC000
NO_PATIENT = 0xC010
CHANGED = 0xC020
FAILED = 0x0110


class InstanceRefused(Exception):
    """``status``, and a comment of at most 64 plain characters that holds nothing of a patient."""

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment[:64]
