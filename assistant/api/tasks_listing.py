"""``/v1/tasks``: what this installation can do, also as tools for a language model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from assistant.api.context import ActorDep, ServicesDep
from assistant.api.problems import documented
from assistant.work.registry import draft_kind

router = APIRouter(prefix="/v1/tasks", tags=["tasks 任务"])


class TaskShown(BaseModel):
    """One task."""

    kind: str
    title: str
    title_en: str
    path: str
    draft_kind: str
    needs_model: bool
    ask_roles: list[str]
    review_roles: list[str]
    evaluation: str = Field(description="The command that measures it; empty for none.")
    tool: dict[str, Any] | None = Field(
        description="The function that a language model may call, as in OpenAI's API."
    )


@router.get("", responses=documented())
async def listing(parts: ServicesDep, who: ActorDep) -> list[TaskShown]:
    """The installed tasks, in their order."""
    return [
        TaskShown(
            kind=task.kind,
            title=task.title.zh,
            title_en=task.title.en,
            path=f"/v1/{task.path}",
            draft_kind=draft_kind(task),
            needs_model=task.needs_model,
            ask_roles=sorted(task.ask_roles),
            review_roles=sorted(task.review_roles) if task.reviewed or task.released else [],
            evaluation=task.evaluation,
            tool=task.as_tool(),
        )
        for task in parts.tasks
    ]
