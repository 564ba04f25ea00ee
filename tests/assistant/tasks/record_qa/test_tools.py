"""Each tool by itself: its schema, its arguments, its answer with places."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from assistant.record.encounter import Encounter
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.tools.registry import (
    WrongArguments,
    all_tools,
    call,
    offered,
    read_arguments,
)
from assistant.tasks.record_qa.tools.tool import Desk
from serving.schema.json_schema import check
from serving.tool_calls import schema_of_call


def use(stay: dict[str, Any], name: str, arguments: dict[str, Any]) -> RecordAnswer:
    tool = all_tools()[name]
    desk = Desk(RecordReading(Encounter.model_validate(stay)))
    step, answer = asyncio.run(call(tool, read_arguments(tool, arguments), desk))
    assert step.outcome == "done"
    assert answer is not None
    assert all(s.evidence for s in answer.statements)
    return answer


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("record_search", {"words": "胸痛"}, "否认"),
        ("record_search", {"words": "泌尿系CT"}, "拟行泌尿系CT检查"),
        ("results", {"test": "血钾"}, "3.2mmol/L"),
        ("results", {"test": "肌酐", "which": "highest"}, "132μmol/L"),
        ("results", {"test": "血钾", "which": "on_day", "day": "2026-03-04"}, "4.4mmol/L"),
        ("results", {"test": "没有的检验"}, "没有认出"),
        ("abnormal_results", {}, "血钾"),
        ("drugs", {"name": "抗生素"}, "头孢曲松"),
        ("drugs", {"name": "华法林"}, "没有找到华法林"),
        ("discharge_drugs", {}, "左氧氟沙星"),
        ("allergies", {"name": "青霉素"}, "否认药物、食物过敏史"),
        ("diagnoses", {}, "急性肾盂肾炎"),
        ("stay_dates", {}, "2026年3月2日"),
        ("pending_results", {}, "尿培养"),
        ("calculator", {"calculator": "ckd_epi_2021"}, "mL/min/1.73m²"),
        ("drug_caution", {"name": "二甲双胍"}, "过敏"),
    ],
)
def test_a_tool_says_what_the_record_says(
    stay: dict[str, Any], name: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in use(stay, name, arguments).plain_text()


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("results", {}, "test"),
        ("results", {"test": "血钾", "which": "all"}, "which"),
        ("results", {"test": "血钾", "day": "昨天"}, "day"),
        ("calculator", {"calculator": "none"}, "calculator"),
        ("drugs", {"encounter": "enc-z"}, "encounter"),
        ("record_search", {"words": "血" * 101}, "words"),
    ],
)
def test_wrong_arguments_are_named(name: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongArguments, match=told):
        read_arguments(all_tools()[name], arguments)


def test_a_decoder_can_be_held_to_every_tool() -> None:
    functions = offered(list(all_tools().values()))
    check(schema_of_call(functions))
    assert all(f["function"]["description"] for f in functions)


def test_what_costs_minutes_or_reads_a_file_asks_first() -> None:
    tools = all_tools()
    asks = {name for name, tool in tools.items() if tool.asks_first}
    assert {"differential_diagnosis", "bill", "segmentation", "perfusion"} <= asks
    assert not {"results", "record_search", "knowledge_search", "record_qc"} & asks
    assert not {"record_qa", "chat"} & set(tools)
