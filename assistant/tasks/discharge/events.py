"""What 出院记录 tells beside its sections."""

from __future__ import annotations

from typing import ClassVar

from assistant.tasks.discharge.draft import DischargeHeader
from assistant.work.events import Event


class Header(DischargeHeader, Event):
    """What is copied, before any section."""

    name: ClassVar[str] = "header"
