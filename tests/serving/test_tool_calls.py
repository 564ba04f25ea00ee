"""Calls of tools in a model's text, however the text is cut into pieces."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine import UnsupportedOption
from serving.schema import json_schema
from serving.tool_calls import CallReader, check, read_call, schema_of_call


def tool(name: str, **properties: dict) -> dict:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("lab", test={"type": "string"}, n={"type": "integer"}), tool("drugs")]
LAB = '{"name": "lab", "arguments": {"test": "血钾", "n": 3}}'


def read(pieces: list[str], bare: bool = False) -> tuple[str, list[tuple[str, dict]]]:
    reader = CallReader(TOOLS, bare=bare)
    text = "".join(reader.push(piece)[0] for piece in pieces)
    text += reader.finish()[0]
    return text, [(call.name, json.loads(call.arguments)) for call in reader.calls]


def test_two_calls_with_words_before_them() -> None:
    other = '<tool_call>{"name": "drugs", "arguments": {}}</tool_call>'
    text, calls = read([f"我查一下。\n<tool_call>\n{LAB}\n</tool_call>\n{other}"])
    assert text.strip() == "我查一下。"
    assert calls == [("lab", {"test": "血钾", "n": 3}), ("drugs", {})]


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "lab", "arguments": "{\\"test\\": \\"3\\", \\"n\\": 3}"}',
        "<function=lab>\n<parameter=test>\n3\n</parameter>\n<parameter=n>\n3\n</parameter>\n</function>",
        "lab\n<arg_key>test</arg_key>\n<arg_value>3</arg_value>\n"
        "<arg_key>n</arg_key><arg_value>3</arg_value>",
    ],
)
def test_the_forms_of_several_families(body: str) -> None:
    call = read_call(body, TOOLS)
    assert call is not None
    assert call.name == "lab"
    # What the tool wants as text is text, though it looks like a number.
    assert json.loads(call.arguments) == {"test": "3", "n": 3}


@pytest.mark.parametrize(
    "body", ['{"name": "rm", "arguments": {}}', "{broken", '{"name": "lab", "arguments": [1]}', ""]
)
def test_what_is_no_call_of_an_offered_tool_stays_in_the_text(body: str) -> None:
    text, calls = read([f"a<tool_call>{body}</tool_call>b"])
    assert calls == []
    assert text == f"a<tool_call>{body}</tool_call>b"


def test_a_call_that_lacks_its_closing_tag_is_one() -> None:
    assert read([f"<tool_call>{LAB}"])[1] == [("lab", {"test": "血钾", "n": 3})]
    assert read(["<tool_call>{half"]) == ("<tool_call>{half", [])


def test_a_bare_call_and_a_text_that_only_begins_like_one() -> None:
    assert read(['lab\n{"test": "血钾"}'], bare=True)[1] == [("lab", {"test": "血钾"})]
    assert read(["lab values are fine"], bare=True) == ("lab values are fine", [])
    assert read(['lab\n{"test": "血钾"}'])[1] == []


@given(
    st.lists(st.sampled_from(["血钾 ", "<tool", "_call>", "</tool_call>", LAB, "<", "好。\n"])),
    st.integers(1, 9),
)
def test_the_pieces_change_nothing(parts: list[str], size: int) -> None:
    whole = "".join(parts)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    together, calls = read([whole])
    apart, same = read(pieces)
    assert calls == same
    assert together.split() == apart.split()


@given(st.text(alphabet='lab\n{}"<tool_call>/血', max_size=60))
def test_without_calls_nothing_is_lost(text: str) -> None:
    for bare in (False, True):
        said, calls = read(list(text), bare=bare)
        assert calls or said == text


def test_a_schema_holds_the_decoder_to_one_of_the_tools() -> None:
    names = [form["properties"]["name"]["enum"] for form in schema_of_call(TOOLS)["anyOf"]]
    assert names == [["lab"], ["drugs"]]


def test_parts_that_a_tool_refers_to_go_with_it() -> None:
    side = {"enum": ["左", "右"]}
    one = tool("one", side={"$ref": "#/$defs/Side"})
    one["function"]["parameters"]["$defs"] = {"Side": side}
    two = tool("two", side={"$ref": "#/$defs/Side"})
    two["function"]["parameters"]["$defs"] = {"Side": {"enum": ["双侧"]}}
    schema = json.loads(json_schema.check(schema_of_call([one, two])))
    assert schema["$defs"] == {"t0_Side": side, "t1_Side": {"enum": ["双侧"]}}
    jsonschema.validate({"name": "two", "arguments": {"side": "双侧"}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "two", "arguments": {"side": "左"}}, schema)


@pytest.mark.parametrize(
    "tools",
    [[tool("a"), tool("a")], [tool("a b")], [{"type": "retrieval"}], [{"type": "function"}]],
)
def test_tools_that_cannot_be_offered_are_refused(tools: list) -> None:
    with pytest.raises(UnsupportedOption, match="tools:"):
        check(tools)
