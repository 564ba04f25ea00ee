"""What serves the pages: who is signed in and may see what, for the documents behind a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request

from assistant.api.context import Actor, Services
from assistant.api.problems import Problem
from assistant.ui.user import read
from assistant.work.roles import ASK_ROLES


class Host:
    """What a page is given: the data home, who may see what, and which runs carry approvals."""

    def __init__(self, parts: Services, user: Callable[..., Any] | None) -> None:
        self._parts = parts
        self._user = user

    @property
    def home(self) -> Path:
        """The data home."""
        return self._parts.settings.home

    async def anyone(self, request: Request) -> Actor:
        """Who is signed in.  401 for nobody."""
        who = read(await self._user(request) if self._user is not None else None)
        if who is None:
            raise Problem(401, "请先登录。(Sign in first.)")
        return Actor(*who)

    async def clinician(self, request: Request) -> Actor:
        """The same for patients' records.  403 for roles that may not see them."""
        who = await self.anyone(request)
        if not is_clinical(who):
            raise Problem(403, "该角色不能查看病历内容。(Needs a clinical role.)")
        return who

    def approved_runs(self) -> Mapping[str, str]:
        """Folder of a run → who approved what runs now because of it."""
        return self._parts.approvals.runs()


def is_clinical(who: Actor) -> bool:
    """Whether this actor may see patients' records."""
    return who.role in ASK_ROLES
