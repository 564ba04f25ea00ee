"""A real decoder held to the grammars of the tasks."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from promptcblue_sets import as_pattern, gold

from eval.promptcblue.tracks import CHIP2023
from eval.run.request import make_request
from serving.engine import Sampling, complete
from serving.engines.openvino.engine import OpenVinoEngine

TASKS = ("KUAKE-QIC", "CHIP-CDN", "IMCS-V2-NER", "CHIP-MDCFNPC")


@pytest.fixture(scope="module")
def engine() -> OpenVinoEngine:
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    folder = home / "models" / "qwen2.5-coder-0.5b-instruct"
    if not folder.is_dir():
        pytest.skip("the demo model is not prepared; `bedside model pull` prepares it")
    return OpenVinoEngine(folder)


@pytest.mark.model
@pytest.mark.parametrize("name", TASKS)
async def test_an_answer_is_in_the_language(engine: OpenVinoEngine, name: str) -> None:
    sample = next(s for s in gold(CHIP2023) if s.task_dataset == name)
    task = CHIP2023.tasks[name]
    request = make_request(sample, task, engine, Sampling(), constrained=True, max_tokens=120)
    answer = await complete(engine, request.messages, request.sampling, request.schema)
    if answer.finish_reason == "stop":
        pattern = as_pattern(task.grammar(sample) or "")
        assert pattern.fullmatch(answer.text), answer.text
    else:
        assert answer.usage.new_tokens == 120
