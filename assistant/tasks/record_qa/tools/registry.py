"""The tools there are, and how one is called: checked arguments, a limit of time, no traceback."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from assistant.tasks.record_qa.draft import RecordAnswer, Step
from assistant.tasks.record_qa.tools.of_knowledge import knowledge_tools
from assistant.tasks.record_qa.tools.of_record import record_tools
from assistant.tasks.record_qa.tools.of_tasks import Attached, task_tools
from assistant.tasks.record_qa.tools.tool import Arguments, Desk, Tool

log = logging.getLogger("bedside.assistant.record_qa")


@cache
def all_tools() -> Mapping[str, Tool]:
    """Every tool by its name."""
    tools = [*record_tools(), *knowledge_tools(), *task_tools()]
    return {tool.name: tool for tool in tools}


def usable(desk: Desk) -> Mapping[str, Tool]:
    """Those that can do something here: none for a file where the record has none.

    The fewer there are, the better a small model chooses and the sooner it begins.
    """
    has_files = bool(desk.reading.encounter.attachments)
    knows = desk.run is not None and desk.run.resources.has_knowledge
    about = {tool.name for tool in knowledge_tools()}
    return {
        name: tool
        for name, tool in all_tools().items()
        if (has_files or tool.arguments is not Attached) and (knows or name not in about)
    }


class WrongArguments(Exception):
    """A call that cannot be carried out; the message says which argument is wrong."""


def read_arguments(tool: Tool, text: str | Mapping[str, Any]) -> Arguments:
    """The arguments of a call.  Raises `WrongArguments`."""
    try:
        given = json.loads(text or "{}") if isinstance(text, str) else dict(text)
        return tool.arguments.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "arguments"
        raise WrongArguments(f"参数 {where} 不对：{first['msg']}。") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise WrongArguments("参数不是 JSON 对象。") from error


async def call(
    tool: Tool, given: Arguments, desk: Desk, seconds: float | None = None
) -> tuple[Step, RecordAnswer | None]:
    """Run a tool.  One that hangs or breaks gives no answer, and its step says so."""
    started = time.perf_counter()
    arguments = given.model_dump(mode="json", exclude_defaults=True)

    def step(outcome: str, found: int = 0) -> Step:
        return Step(
            tool=tool.name,
            title=tool.title,
            arguments=arguments,
            outcome=outcome,
            found=found,
            seconds=time.perf_counter() - started,
        )

    try:
        async with asyncio.timeout(seconds or tool.seconds):
            answer = await tool.work(desk, given)
    except TimeoutError:
        return step("timeout"), None
    except Exception as error:
        # Whatever breaks in a tool must not end the conversation; the text stays out of the log.
        log.error("tool %s failed: %s", tool.name, type(error).__name__)
        return step("failed"), None
    rows = sum(len(table.rows) for table in answer.tables)
    return step("done", len(answer.statements) or rows), answer


def offered(tools: Sequence[Tool]) -> tuple[dict[str, Any], ...]:
    """The tools as a model is told of them."""
    return tuple(tool.as_function() for tool in tools)
