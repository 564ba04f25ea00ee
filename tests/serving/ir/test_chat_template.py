"""Chat templates as GenAI renders them, against the formats that the models' authors describe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino_genai
import pytest
import sentencepiece
import tokenizer_samples as samples

from serving.ir import chat_template
from serving.ir.tokenizer import TokenizerError, convert_tokenizer

Messages = list[dict[str, Any]]
USER = {"role": "user", "content": "头痛3天，怎么办？"}
SYSTEM = {"role": "system", "content": "你是医生助手。"}
ANSWER = {"role": "assistant", "content": "请先测血压。"}
AGAIN = {"role": "user", "content": "150/95mmHg"}
TALK = [SYSTEM, USER, ANSWER, AGAIN]
FUNCTION = {"name": "drug_dose", "description": "剂量", "parameters": {"type": "object"}}
TOOLS = [{"type": "function", "function": FUNCTION}]
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": "drug_dose", "arguments": {"drug": "硝苯地平", "n": 2}}}],
}
RESULT = {"role": "tool", "content": "30mg qd"}
INDENTED = json.dumps(FUNCTION, indent=4, ensure_ascii=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    (folder / "tokenizer.model").write_bytes(samples.sentencepiece_model())
    convert_tokenizer(folder, folder, "chatglm3", 4096)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return openvino_genai.Tokenizer(str(folder))


@pytest.fixture(scope="module")
def render(tokenizer: Any) -> Callable[..., str]:
    def rendered(
        family: str, messages: Messages, tools: Any = None, has: frozenset[str] = frozenset()
    ) -> str:
        template = chat_template.choose(family, "", has.__contains__)
        text: str = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, chat_template=template, tools=tools
        )
        return text

    return rendered


def test_chatglm_asks_a_single_question_as_it_is(render: Callable[..., str]) -> None:
    assert render("chatglm", [USER]) == "头痛3天，怎么办？[gMASK]<sop>"
    assert render("chatglm", [SYSTEM, USER]) == "你是医生助手。\n头痛3天，怎么办？[gMASK]<sop>"


def test_chatglm_counts_rounds_from_zero(render: Callable[..., str]) -> None:
    assert render("chatglm", TALK[1:]) == (
        "[Round 0]\n问：头痛3天，怎么办？\n答：请先测血压。\n"
        "[Round 1]\n问：150/95mmHg\n答：[gMASK]<sop>"
    )


def test_chatglm2_counts_rounds_from_one(render: Callable[..., str]) -> None:
    assert render("chatglm2", [USER]) == "[gMASK]sop[Round 1]\n\n问：头痛3天，怎么办？\n\n答："
    assert render("chatglm2", TALK) == (
        "[gMASK]sop[Round 1]\n\n问：你是医生助手。\n\n头痛3天，怎么办？\n\n答：请先测血压。\n\n"
        "[Round 2]\n\n问：150/95mmHg\n\n答："
    )


def test_chatglm3_roles(render: Callable[..., str]) -> None:
    assert render("chatglm3", TALK) == (
        "[gMASK]sop<|system|>\n 你是医生助手。<|user|>\n 头痛3天，怎么办？"
        "<|assistant|>\n 请先测血压。<|user|>\n 150/95mmHg<|assistant|>\n"
    )


def test_chatglm3_tools(render: Callable[..., str]) -> None:
    listed = json.dumps([FUNCTION], indent=4, ensure_ascii=False)
    for tools in (TOOLS, [FUNCTION]):
        assert render("chatglm3", [SYSTEM, USER, CALL, RESULT], tools) == (
            f"[gMASK]sop<|system|>\n 你是医生助手。\n{listed}<|user|>\n 头痛3天，怎么办？"
            "<|assistant|>drug_dose\n ```python\ntool_call(drug='硝苯地平', n=2)\n```"
            "<|observation|>\n 30mg qd<|assistant|>"
        )
    alone = render("chatglm3", [USER], TOOLS)
    assert alone.startswith("[gMASK]sop<|system|>\n Answer the following questions")


def test_chatglm3_text_gives_the_ids_of_parts_encoded_apart(folder: Path, tokenizer: Any) -> None:
    model = (folder / "tokenizer.model").read_bytes()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    size = reference.vocab_size()
    role = {"system": size + 5, "user": size + 6, "assistant": size + 7}
    line = reference.encode("\n")
    awkward = [*TALK, {"role": "assistant", "content": ""}]
    awkward.append({"role": "user", "content": "  两个空格\n\n isoprenaline "})
    expected = [size + 1, size + 3]
    for message in awkward:
        expected += [role[message["role"]], *line, *reference.encode(message["content"])]
    expected += [role["assistant"], *line]
    text = tokenizer.apply_chat_template(awkward, add_generation_prompt=True)
    ids = tokenizer.encode(text, add_special_tokens=False).input_ids.data[0]
    assert list(ids) == expected


def test_glm4_roles(render: Callable[..., str]) -> None:
    expected = (
        "[gMASK]<sop><|system|>\n你是医生助手。<|user|>\n头痛3天，怎么办？"
        "<|assistant|>\n请先测血压。<|user|>\n150/95mmHg<|assistant|>\n"
    )
    assert render("glm4", TALK) == expected
    assert render("glm", TALK, has=frozenset({"<|observation|>"})) == expected


def test_glm4_tools(render: Callable[..., str]) -> None:
    arguments = '{"drug": "硝苯地平", "n": 2}'
    assert render("glm4", [SYSTEM, USER, CALL, RESULT], TOOLS) == (
        f"[gMASK]<sop><|system|>\n你是医生助手。\n\n# 可用工具\n\n## drug_dose\n\n{INDENTED}\n"
        "在调用上述函数时，请使用 Json 格式表示调用的参数。<|user|>\n头痛3天，怎么办？"
        f"<|assistant|>drug_dose\n{arguments}<|observation|>\n30mg qd<|assistant|>"
    )


def test_qwen_marks_turns_and_tools(render: Callable[..., str]) -> None:
    has = frozenset({"<|im_start|>"})
    turns = (
        "<|im_start|>user\n头痛3天，怎么办？<|im_end|>\n"
        "<|im_start|>assistant\n请先测血压。<|im_end|>\n"
        "<|im_start|>user\n150/95mmHg<|im_end|>\n<|im_start|>assistant\n"
    )
    system = "<|im_start|>system\n你是医生助手。"
    assert render("qwen2", TALK, has=has) == f"{system}<|im_end|>\n{turns}"
    assert render("qwen2", TALK[1:], has=has) == turns
    text = render("qwen3", [SYSTEM, USER, CALL, RESULT], TOOLS, has)
    assert text.startswith(
        f"{system}\n\n# Tools\n\n<tools>\n{json.dumps(TOOLS[0], ensure_ascii=False)}"
    )
    assert '<tool_call>\n{"name": "drug_dose", "arguments": {"drug": "硝苯地平", "n": 2}}' in text
    assert "<|im_start|>user\n<tool_response>\n30mg qd\n</tool_response><|im_end|>" in text


def test_llama_of_the_third_and_the_first_generation(render: Callable[..., str]) -> None:
    third = render("llama", [SYSTEM, USER], has=frozenset({"<|start_header_id|>"}))
    assert third == (
        "<s><|start_header_id|>system<|end_header_id|>\n\n你是医生助手。<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n头痛3天，怎么办？<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert render("llama", TALK) == (
        "<s>你是医生助手。\n### 问题:\n头痛3天，怎么办？\n### 回答:\n请先测血压。\n"
        "### 问题:\n150/95mmHg\n### 回答:\n"
    )


def test_a_template_that_came_with_the_model_wins(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(samples.sentencepiece_model())
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert convert_tokenizer(tmp_path, tmp_path, "llama", 64).chat_template == "D"
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": "J"}))
    assert convert_tokenizer(tmp_path, tmp_path, "llama", 64).chat_template == "J"
    text = "<<{{ messages[0].content }}>>\n"
    (tmp_path / "chat_template.jinja").write_text(text, encoding="utf-8")
    assert convert_tokenizer(tmp_path, tmp_path, "llama", 64).chat_template == text
    target = tmp_path / "converted"
    target.mkdir()
    convert_tokenizer(tmp_path, target, "llama", 64)
    loaded = openvino_genai.Tokenizer(str(target))
    assert loaded.apply_chat_template([USER], True).strip() == "<<头痛3天，怎么办？>>"


def test_models_published_with_code_keep_the_own_template(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(samples.sentencepiece_model())
    (tmp_path / "chat_template.jinja").write_text("other")
    template = convert_tokenizer(tmp_path, tmp_path, "chatglm2", 64).chat_template
    assert "[Round " in template


def test_broken_template_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(samples.sentencepiece_model())
    (tmp_path / "chat_template.json").write_text("{")
    with pytest.raises(TokenizerError, match=r"chat_template\.json"):
        convert_tokenizer(tmp_path, tmp_path, "llama", 64)
