"""Converted tokenizers against the libraries whose files they read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizer_samples as samples
from tokenizer_cases import CONTEXT, MAKERS, ROLES, Case, close_gguf, convert, gguf_writer

from serving.engines.text_stream import TextStream
from serving.ir.tokenizer import TokenizerError, convert_tokenizer


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    made: dict[str, Case] = {}

    def find(name: str) -> Case:
        if name not in made:
            made[name] = MAKERS[name](tmp_path_factory.mktemp(name))
        return made[name]

    return find


every = pytest.mark.parametrize("name", MAKERS)


@every
def test_ids_and_text_equal_the_reference(name: str, cases: Callable[[str], Case]) -> None:
    cases(name).check(samples.SAMPLES)


@every
@pytest.mark.shared
@pytest.mark.skipif(not samples.SHARED.is_dir(), reason="no shared data")
def test_equal_on_hundreds_of_clinical_lines(name: str, cases: Callable[[str], Case]) -> None:
    lines = samples.shared_lines(250)
    assert len(lines) == 250
    cases(name).check(lines)


@every
def test_special_tokens_in_text_are_themselves(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    for text, id_ in case.specials.items():
        assert case.ids(text) == [id_]
        mixed = f"{text}患者 {text}\n男{text}{text} x"
        assert case.ids(mixed) == case.encode(mixed)
        assert case.ids(mixed).count(id_) == 4


@every
def test_control_tokens_are_hidden_only_when_asked(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    for text in case.facts.control_tokens:
        ids = case.ids(f"咳嗽{text}")
        assert text not in case.tokenizer.decode(ids)
        assert case.tokenizer.decode(ids, skip_special_tokens=False).strip() in (
            f"咳嗽{text}",
            "咳嗽sop",
        )


@every
def test_prefix_and_suffix_come_with_special_tokens_only(
    name: str, cases: Callable[[str], Case]
) -> None:
    case = cases(name)
    plain = case.ids("咳嗽3天")
    framed = case.ids("咳嗽3天", add_special_tokens=True)
    assert framed == [*case.prefix, *plain, *case.suffix]


@every
def test_long_text_is_cut_only_on_request(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    text = "".join(samples.CLINICAL) * 40
    expected = case.encode(text)
    assert len(expected) > 100 * CONTEXT
    assert case.ids(text) == expected
    assert case.ids(text, truncation=True, max_length=9) == expected[:9]


@every
def test_batches_are_padded_on_the_left(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    texts = ["患者男", "", samples.CLINICAL[0]]
    batch = case.tokenizer.encode(texts, add_special_tokens=False)
    for text, ids, mask in zip(texts, batch.input_ids.data, batch.attention_mask.data, strict=True):
        assert list(ids[mask == 1]) == case.encode(text)
        assert sorted(mask) == list(mask)


@every
def test_streamed_text_equals_the_whole(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    text = samples.CLINICAL[0] + " 👨‍👩‍👧 𠀀𪚥 e\u0301\n  " + samples.CLINICAL[3]
    ids = case.encode(text)
    stream = TextStream(case.tokenizer.decode)
    pieces = [stream.push([id_]) for id_ in ids]
    whole = "".join(pieces) + stream.finish()
    assert whole == case.decode(ids)
    assert "\ufffd" not in whole


@every
def test_vocabulary_is_there_for_constrained_answers(
    name: str, cases: Callable[[str], Case]
) -> None:
    case = cases(name)
    known = {token: id_ for token, id_ in case.tokenizer.get_vocab().items() if token}
    ids = case.encode("患者男，62岁 WBC")
    joined = b"".join(token for id_ in ids for token, at in known.items() if at == id_)
    assert joined.decode().strip() == case.decode(ids)
    assert case.facts.vocab_size >= max(known.values()) + 1


@pytest.mark.parametrize("name", ["chatglm2", "chatglm3", "chatglm3_gguf"])
def test_words_that_contain_sop_stay_words(name: str, cases: Callable[[str], Case]) -> None:
    case = cases(name)
    text = "isoprenaline 异丙肾上腺素 aesop eop sop"
    assert case.prefix[1] not in case.ids(text)
    assert case.ids(f"[gMASK]sop{text}") == [*case.prefix, *case.ids(text)]
    assert "sop" not in case.facts.control_tokens


def test_facts(cases: Callable[[str], Case]) -> None:
    glm3 = cases("chatglm3")
    ids = glm3.specials
    assert glm3.facts.eos_id == 2
    assert glm3.facts.end_token_ids == (2, ids["<|user|>"], ids["<|observation|>"])
    assert set(ROLES) < set(glm3.facts.control_tokens)
    assert glm3.facts.vocab_size == glm3.prefix[1] + 64 - 3
    qwen = cases("qwen2")
    assert qwen.facts.eos_id == qwen.specials["<|im_end|>"]
    assert qwen.facts.pad_id == qwen.specials["<|endoftext|>"]
    assert "<tool_call>" not in qwen.facts.control_tokens
    assert cases("llama").facts.pad_id == cases("llama").specials["[PAD]"]
    assert cases("glm4").facts.end_token_ids[0] == cases("glm4").specials["<|endoftext|>"]
    assert cases("llama_gguf").facts.bos_id == 1
    old = cases("chatglm_first_release")
    assert old.facts.eos_id == old.specials["<eop>"] > 20_000


def test_generation_settings_add_end_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(samples.sentencepiece_model())
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 77]}')
    assert convert(tmp_path, "llama").end_token_ids == (2, 77)


@pytest.mark.parametrize("family", ["chatglm", "chatglm2", "glm4", "qwen2", "llama"])
def test_missing_tokenizer_names_what_to_copy(tmp_path: Path, family: str) -> None:
    with pytest.raises(TokenizerError, match=r"has no tokenizer \(.*copy it there"):
        convert(tmp_path, family)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("chatglm", "ice_text.model"),
        ("chatglm3", "tokenizer.model"),
        ("glm4", "tokenizer.model"),
        ("llama", "tokenizer.model"),
        ("qwen3", "tokenizer.json"),
        ("glm", "tokenizer.json"),
    ],
)
def test_damaged_tokenizer_is_named(tmp_path: Path, family: str, name: str) -> None:
    whole = samples.sentencepiece_model()
    for data in (b"", b"\x00\x01\x02", b"version https", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TokenizerError, match=re.escape(name)):
            convert_tokenizer(tmp_path, tmp_path, family, CONTEXT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_other_sentencepiece_model_is_not_chatglm(tmp_path: Path) -> None:
    (tmp_path / "ice_text.model").write_bytes(samples.sentencepiece_model())
    with pytest.raises(TokenizerError, match=r"\[gMASK\]"):
        convert(tmp_path, "chatglm")


def test_unknown_family_and_unknown_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="No tokenizer is known for mamba"):
        convert(tmp_path, "mamba")
    content = {"model": {"type": "WordPiece", "vocab": {}}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(TokenizerError, match="WordPiece"):
        convert_tokenizer(tmp_path, tmp_path, "qwen2", CONTEXT)


def test_gguf_without_or_with_a_strange_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00cut")
    with pytest.raises(TokenizerError, match="not a complete GGUF"):
        convert_tokenizer(path, tmp_path, "qwen2", CONTEXT)
    close_gguf(gguf_writer(tmp_path, "qwen2"))
    with pytest.raises(TokenizerError, match="holds no tokenizer"):
        convert_tokenizer(path, tmp_path, "qwen2", CONTEXT)
    fields = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "other"}
    with pytest.raises(TokenizerError, match="pre-tokenizer 'other'"):
        convert_tokenizer(
            path, tmp_path, "qwen2", CONTEXT, fields | {"tokenizer.ggml.tokens": ["a"]}
        )
