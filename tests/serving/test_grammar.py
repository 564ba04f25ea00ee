"""A grammar in the place of a JSON Schema."""

from __future__ import annotations

import pytest

from serving.engine import Message, UnsupportedOption, complete
from serving.engines.echo import EchoEngine
from serving.engines.remote import RemoteEngine
from serving.schema import compact_grammar, json_schema

GRAMMAR = {"$grammar": 'root ::= "相关" | "不相关"'}


def test_it_reaches_the_decoder_as_it_is() -> None:
    assert "相关" in json_schema.check(GRAMMAR)
    assert compact_grammar.grammar(GRAMMAR) == GRAMMAR["$grammar"]


@pytest.mark.parametrize(
    "schema",
    [
        GRAMMAR | {"type": "string"},
        {"$grammar": 7},
        {"$grammar": "start ::= [a-z]"},
        {"$grammar": "root ::= " + "[a-z] " * 100_000},
    ],
)
def test_what_is_no_grammar_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(UnsupportedOption):
        json_schema.check(schema)


async def test_the_echo_engine_answers_as_ever() -> None:
    answer = await complete(EchoEngine(), [Message("user", "头痛")], None, GRAMMAR)
    assert answer.text == "头痛"


async def test_a_remote_model_is_not_asked_what_its_server_may_pass_over() -> None:
    engine = RemoteEngine("http://127.0.0.1:9/v1", "m")
    with pytest.raises(UnsupportedOption, match="grammar"):
        await complete(engine, [Message("user", "头痛")], None, GRAMMAR)
