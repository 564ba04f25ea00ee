from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel

from serving.blocking import iterate
from serving.chat_model import EngineChatModel
from serving.engine import Engine, UnsupportedOption
from serving.engines.echo import EchoEngine
from serving.engines.openvino.engine import OpenVinoEngine


class Grade(BaseModel):
    """A grade."""

    grade: str
    reasons: list[str]


class _Claims:
    """What the chat model says that it can do."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return EngineChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": EchoEngine()}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return False


class TestUnit(_Claims, ChatModelUnitTests):
    pass


class TestEcho(_Claims, ChatModelIntegrationTests):
    pass


@pytest.fixture(scope="module")
def demo_engine(demo_folder) -> Any:
    engine = OpenVinoEngine(demo_folder)
    yield engine
    asyncio.run(engine.close())


@pytest.mark.model
class TestDemoModel(_Claims, ChatModelIntegrationTests):
    shared: Engine

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _engine(cls, demo_engine: Engine) -> None:
        cls.shared = demo_engine

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": self.shared, "max_tokens": 150, "repetition_penalty": 1.2}

    @pytest.fixture
    def model(self, request: Any) -> BaseChatModel:
        """Only what must end as JSON gets room for its end."""
        named = request.node.name
        tokens = 150 if "structured" in named or "json" in named else 24
        given = {**self.standard_chat_model_params, **self.chat_model_params}
        return self.chat_model_class(**{**given, "max_tokens": tokens})


def test_sampling_of_the_model_and_of_a_call_reach_the_engine() -> None:
    model = EngineChatModel(engine=EchoEngine(), max_tokens=2)
    assert model.invoke("a b c d").text == "a b "
    assert model.invoke("a b c d", max_tokens=3).text == "a b c "
    assert model.invoke("a b c d", stop=["c"]).text == "a b "


def test_metadata_name_the_model_and_the_cost() -> None:
    message = EngineChatModel(engine=EchoEngine(), logprobs=True).invoke("a b")
    assert message.response_metadata["model_name"] == "echo"
    assert message.response_metadata["finish_reason"] == "stop"
    assert [e["token"] for e in message.response_metadata["logprobs"]["content"]] == ["a ", "b"]
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == 2


def test_structured_output_with_the_raw_message() -> None:
    good = EngineChatModel(engine=EchoEngine(lambda _: '{"grade": "轻", "reasons": []}'))
    both = good.with_structured_output(Grade, include_raw=True).invoke("x")
    assert isinstance(both, dict)
    assert both["parsed"] == Grade(grade="轻", reasons=[])
    assert both["parsing_error"] is None
    bad: Runnable = EngineChatModel(engine=EchoEngine(), max_tokens=1).with_structured_output(
        Grade, include_raw=True
    )
    failed = bad.invoke("x")
    assert failed["parsed"] is None
    assert failed["parsing_error"] is not None


def test_methods_that_are_not_there_are_refused() -> None:
    model = EngineChatModel(engine=EchoEngine())
    with pytest.raises(ValueError, match="json_schema"):
        model.with_structured_output(Grade, method="guess")
    with pytest.raises(UnsupportedOption):
        model.invoke([ToolMessage("x", tool_call_id="1")])
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    with pytest.raises(UnsupportedOption):
        model.invoke([HumanMessage([image])])
    with pytest.raises(UnsupportedOption):
        model.invoke("x", tools=[{"name": "f"}])


async def test_synchronous_calls_work_inside_a_running_loop() -> None:
    model = EngineChatModel(engine=EchoEngine())
    assert model.invoke("a b").text == "a b"


def test_leaving_a_synchronous_stream_frees_the_request() -> None:
    engine = EchoEngine(seconds_per_word=0.001)
    stream = iterate(engine.generate("a b c d"))
    assert next(stream).text == "a "
    assert engine.open_requests == 1
    stream.close()
    assert engine.open_requests == 0


def test_the_model_can_be_serialised_without_its_engine() -> None:
    model = EngineChatModel(engine=EchoEngine())
    assert "engine" not in json.loads(model.model_dump_json(exclude={"callbacks"}))
