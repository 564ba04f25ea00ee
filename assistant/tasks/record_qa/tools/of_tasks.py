"""The tools that are tasks: differential, structuring, quality control, bills, images.

They are taken from the registry by what their requests look like, so another package's task is a
tool as well.  One that takes a model's place or a file costs minutes and asks the doctor first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationError

from assistant.draft import Draft, Statement
from assistant.record.case import CASE_FIELDS, Case
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.tools.tool import Arguments, Desk, NoArguments, Tool
from assistant.work.registry import installed
from assistant.work.task import AnyTask, Refused, Run

MINUTES = 300.0
SHORT = 60.0
MOST_STATEMENTS = 12
NOT_TOOLS = frozenset({"record_qa", "chat"})
"""This task itself, and the questions to the knowledge base, which has tools of its own."""


class Attached(Arguments):
    """What of the record's attachments it is to work on."""

    attachment: Annotated[str, Field(max_length=64)] = Field(
        description="病历附件（图片或影像序列）的编号"
    )


def task_tools(tasks: Iterable[AnyTask] | None = None) -> Sequence[Tool]:
    """A tool for each task that says what it is as one and whose request can be made here."""
    found = [_tool(task) for task in (installed() if tasks is None else tasks)]
    return [tool for tool in found if tool is not None]


def _tool(task: AnyTask) -> Tool | None:
    fields = task.posted.model_fields
    if not task.tool or task.kind in NOT_TOOLS:
        return None
    is_case = issubclass(task.posted, Case)
    takes_file = "attachments" in fields and not is_case
    if not (is_case or takes_file or _whole_stay(fields) or {"notes", "patient_id"} <= set(fields)):
        return None
    slow = task.needs_model or takes_file

    async def work(desk: Desk, given: Arguments) -> RecordAnswer:
        return await perform(task, desk, given)

    return Tool(
        task.kind,
        task.title.zh,
        f"{task.title.zh}：{task.tool}",
        Attached if takes_file else NoArguments,
        work,
        asks_first=slow,
        seconds=MINUTES if slow else SHORT,
    )


def _whole_stay(fields: Mapping[str, Any]) -> bool:
    """Whether nothing but the encounter is needed."""
    return "encounter" in fields and all(
        name == "encounter" or not field.is_required() for name, field in fields.items()
    )


async def perform(task: AnyTask, desk: Desk, given: Arguments) -> RecordAnswer:
    """Do the task's work over the record and say what it found; nothing of it is filled in."""
    out = Saying(Asked(text=task.title.zh))
    if desk.run is None:
        out.note("此工具须在服务中运行。(This tool needs the service.)", "failed")
        return out.answer(task.title.zh)
    resources = desk.run.resources
    try:
        body = task.posted.model_validate(_body(task, desk.reading, given))
        asked = task.accept(body, resources.settings)
    except Refused as error:
        out.note(str(error), "refused")
        return out.answer(task.title.zh)
    except ValidationError:
        out.note(f"病历中的资料不足以进行{task.title.zh}。", "missing")
        return out.answer(task.title.zh)
    request = task.request.model_validate(asked.payload)
    run = Run(desk.run.context, asked.options, [], resources)
    drafts = [step async for step in task.run(request, run) if isinstance(step, Draft)]
    return _told(task, drafts, out)


def _told(task: AnyTask, drafts: Sequence[Draft], out: Saying) -> RecordAnswer:
    said: list[Statement] = [s for draft in drafts for s in draft.all_statements()]
    answer = out.answer(task.title.zh)
    answer.statements = [
        s.model_copy(update={"id": f"a-{n}"}) for n, s in enumerate(said[:MOST_STATEMENTS], 1)
    ]
    more = len(said) - len(answer.statements)
    rest = f"，另有 {more} 条" if more > 0 else ""
    page = f"完整结果请在“{task.title.zh}”页查看。" if rest or not said else ""
    answer.message = f"{task.title.zh}已完成：{len(answer.statements)} 条{rest}。{page}"
    if not drafts:
        answer.message, answer.outcome = f"{task.title.zh}没有给出结果。", "failed"
    warned = [w for draft in drafts for w in getattr(draft, "warnings", [])]
    answer.warnings += list(dict.fromkeys(warned))[:4]
    return answer


def _body(task: AnyTask, reading: RecordReading, given: Arguments) -> dict[str, Any]:
    """What is posted: the record of this desk, whatever the arguments say."""
    encounter, fields = reading.encounter, task.posted.model_fields
    ids = {"patient_id": encounter.patient.id, "encounter_id": encounter.id}
    if issubclass(task.posted, Case):
        return _case(reading)
    if isinstance(given, Attached):
        own = [one for one in encounter.attachments if one.id == given.attachment]
        if not own:
            raise Refused(f"病历没有编号为“{given.attachment}”的附件。(No such attachment.)")
        return {**ids, "attachments": [one.model_dump(mode="json") for one in own]}
    if "encounter" in fields:
        return {"encounter": encounter.model_dump(mode="json")}
    notes = [
        {"id": n.note.id, "text": n.text, "title": n.note.title, "written_at": n.note.written_at}
        for n in reading.notes
    ]
    return {**ids, "admitted_at": encounter.admitted_at, "notes": notes}


def _case(reading: RecordReading) -> dict[str, Any]:
    """The parts of the admission note as a case; the whole note where it has no headings."""
    first = next(iter(reading.of_kind("admission")), None) or next(iter(reading.notes), None)
    case: dict[str, Any] = {
        "patient": reading.encounter.patient.model_dump(mode="json"),
        "encounter_id": reading.encounter.id,
    }
    if first is None:
        return case
    for field, title in CASE_FIELDS.items():
        if field != "text" and (part := first.section(title)) is not None:
            case[field] = part.quote[:2_000] if field == "chief_complaint" else part.quote
    if "chief_complaint" not in case and "present_illness" not in case:
        case["text"] = first.text
    return case
