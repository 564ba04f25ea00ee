"""Small tokenizers of every family, converted, each beside the library that reads its files."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino_genai
import sentencepiece
import tiktoken
import tokenizer_samples as samples
from gguf import GGUFWriter
from tokenizers import AddedToken, Tokenizer, processors

from serving.ir.gguf_tokens import QWEN2_PATTERN
from serving.ir.glm_tokens import GLM4_PATTERN
from serving.ir.tokenizer import TokenizerFacts, convert_tokenizer

CONTEXT = 64
ROLES = ["<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
GLM4_SPECIALS = [
    *("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"),
    *ROLES,
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
]
BLANKS = [f"<|blank_{size}|>" for size in range(2, 81)]


@dataclass
class Case:
    """A converted tokenizer beside its reference; ``specials`` are encoded as themselves."""

    folder: Path
    facts: TokenizerFacts
    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    specials: dict[str, int]
    prefix: list[int]
    suffix: list[int]
    tokenizer: Any = None

    def __post_init__(self) -> None:
        self.tokenizer = openvino_genai.Tokenizer(str(self.folder))

    def ids(self, text: str, **options: Any) -> list[int]:
        options = {"add_special_tokens": False} | options
        return [int(i) for i in self.tokenizer.encode(text, **options).input_ids.data[0]]

    def check(self, texts: Sequence[str]) -> None:
        for text in texts:
            expected = self.encode(text)
            assert self.ids(text) == expected, text[:60]
            if expected:
                assert self.tokenizer.decode(expected) == self.decode(expected), text[:60]


def segments(specials: dict[str, int], encode: Callable[[str], list[int]], text: str) -> list[int]:
    """The ids of ``text`` where every special token is itself and what lies between is text."""
    parts = re.split("(" + "|".join(map(re.escape, specials)) + ")", text) if specials else [text]
    ids: list[int] = []
    for part in parts:
        ids += [specials[part]] if part in specials else encode(part) if part else []
    return ids


def convert(folder: Path, family: str, source: Path | None = None) -> TokenizerFacts:
    target = folder / "converted"
    target.mkdir()
    return convert_tokenizer(source or folder, target, family, CONTEXT)


def sentencepiece_case(
    folder: Path,
    family: str,
    model: bytes,
    facts: TokenizerFacts,
    specials: dict[str, int],
    prefix: Sequence[int] = (),
    suffix: Sequence[int] = (),
    encode: Callable[[str], list[int]] | None = None,
    decode: Callable[[list[int]], str] | None = None,
) -> Case:
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    hidden = {*specials.values(), reference.unk_id()}
    return Case(
        folder / "converted",
        facts,
        encode or (lambda text: segments(specials, reference.encode, text)),
        decode or (lambda ids: reference.decode([i for i in ids if i not in hidden])),
        specials,
        list(prefix),
        list(suffix),
    )


def chatglm2(folder: Path, *, roles: bool) -> Case:
    model = samples.sentencepiece_model()
    (folder / "tokenizer.model").write_bytes(model)
    size = sentencepiece.SentencePieceProcessor(model_proto=model).vocab_size()
    names = ["[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", *(ROLES if roles else [])]
    ids = {name: size + at for at, name in enumerate(names)}
    (folder / "config.json").write_text(json.dumps({"padded_vocab_size": size + 64}))
    family = "chatglm3" if roles else "chatglm2"
    facts = convert(folder, family)
    matched = {name: at for name, at in ids.items() if name not in ("sop", "eop")}
    prefix = [ids["[gMASK]"], ids["sop"]]
    return sentencepiece_case(folder, family, model, facts, matched, prefix)


def make_chatglm2(folder: Path) -> Case:
    return chatglm2(folder, roles=False)


def make_chatglm3(folder: Path) -> Case:
    return chatglm2(folder, roles=True)


def make_chatglm(folder: Path, image_tokens: int = 0) -> Case:
    special = ["[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"]
    model = samples.sentencepiece_model(
        model_type="unigram",
        vocab_size=440,
        byte_fallback=False,
        control_symbols=special,
        user_defined_symbols=["<n>", "<|tab|>", *BLANKS],
        pad_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
    )
    (folder / "ice_text.model").write_bytes(model)
    vocabulary = 150528 if image_tokens else 130528
    (folder / "config.json").write_text(json.dumps({"vocab_size": vocabulary}))
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    specials = {
        name: reference.piece_to_id(name) + image_tokens for name in [*special, "<pad>", "<eos>"]
    }
    hidden = {*specials.values(), reference.unk_id() + image_tokens}

    def encode(text: str) -> list[int]:
        text = text.replace("\n", "<n>").replace("\t", "<|tab|>")
        for size in range(80, 1, -1):
            text = text.replace(" " * size, f"<|blank_{size}|>")
        return segments(specials, lambda t: [i + image_tokens for i in reference.encode(t)], text)

    def decode(ids: list[int]) -> str:
        text = reference.decode([i - image_tokens for i in ids if i not in hidden])
        text = text.replace("<n>", "\n").replace("<|tab|>", "\t")
        return re.sub(r"<\|blank_(\d+)\|>", lambda match: " " * int(match[1]), text)

    suffix = [specials["[gMASK]"], specials["<sop>"]]
    facts = convert(folder, "chatglm")
    return sentencepiece_case(folder, "chatglm", model, facts, specials, (), suffix, encode, decode)


def make_chatglm_first_release(folder: Path) -> Case:
    return make_chatglm(folder, image_tokens=20_000)


def rank_file(folder: Path) -> dict[bytes, int]:
    """Writes a rank file in which a token stands that no two ranks make."""
    trained = samples.byte_level(GLM4_PATTERN, [], nfc=False)
    table = {chr(c): b for b, c in enumerate(_stand_ins())}
    ranks = {bytes(table[c] for c in token): at for token, at in trained.get_vocab().items()}
    ranks["血小板计数减少".encode()] = len(ranks)
    lines = [f"{base64.b64encode(t).decode()} {rank}" for t, rank in ranks.items()]
    (folder / "tokenizer.model").write_text("\n".join(lines) + "\n")
    return ranks


def _stand_ins() -> list[int]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [byte if byte in plain else next(spare) for byte in range(256)]


def make_glm4(folder: Path) -> Case:
    ranks = rank_file(folder)
    ids = {name: len(ranks) + at for at, name in enumerate(GLM4_SPECIALS)}
    reference = tiktoken.Encoding(
        "glm4", pat_str=GLM4_PATTERN, mergeable_ranks=ranks, special_tokens=ids
    )
    hidden = set(ids.values())
    return Case(
        folder / "converted",
        convert(folder, "glm4"),
        lambda text: reference.encode(text, allowed_special="all"),
        lambda found: reference.decode([i for i in found if i not in hidden]),
        ids,
        [ids["[gMASK]"], ids["<sop>"]],
        [],
    )


def tokenizer_json_case(folder: Path, family: str, reference: Tokenizer) -> Case:
    reference.save(str(folder / "tokenizer.json"))
    added = reference.get_added_tokens_decoder()
    framed = reference.encode("x").ids
    at = framed.index(reference.encode("x", add_special_tokens=False).ids[0])
    return Case(
        folder / "converted",
        convert(folder, family),
        lambda text: reference.encode(text, add_special_tokens=False).ids,
        reference.decode,
        {token.content: id_ for id_, token in added.items()},
        framed[:at],
        framed[at + 1 :],
    )


def make_qwen2(folder: Path) -> Case:
    texts = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    added = [AddedToken(text, special=True, normalized=False) for text in texts]
    added.append(AddedToken("<tool_call>", special=False, normalized=False))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None})
    )
    reference = samples.byte_level(QWEN2_PATTERN, added, nfc=True)
    return tokenizer_json_case(folder, "qwen2", reference)


def make_llama3(folder: Path) -> Case:
    texts = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    added = [AddedToken(text, special=True, normalized=False) for text in texts]
    reference = samples.byte_level(GLM4_PATTERN, added, nfc=False, whole_first=True)
    bos = texts[0]
    reference.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1",
        special_tokens=[(bos, reference.token_to_id(bos))],
    )  # fmt: skip
    return tokenizer_json_case(folder, "llama", reference)


def make_glm(folder: Path) -> Case:
    added = [AddedToken(text, special=True, normalized=False) for text in GLM4_SPECIALS]
    reference = samples.byte_level(GLM4_PATTERN, added, nfc=False, whole_first=True)
    ids = [(text, reference.token_to_id(text)) for text in ("[gMASK]", "<sop>")]
    reference.post_processor = processors.TemplateProcessing(
        single="[gMASK] <sop> $A", pair="[gMASK] <sop> $A $B:1", special_tokens=ids
    )
    return tokenizer_json_case(folder, "glm", reference)


def make_llama(folder: Path) -> Case:
    model = samples.sentencepiece_model()
    (folder / "tokenizer.model").write_bytes(model)
    size = sentencepiece.SentencePieceProcessor(model_proto=model).vocab_size()
    (folder / "added_tokens.json").write_text(json.dumps({"[PAD]": size}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    specials = {"<unk>": 0, "<s>": 1, "</s>": 2, "[PAD]": size}
    return sentencepiece_case(folder, "llama", model, convert(folder, "llama"), specials, [1])


def make_llama_json(folder: Path) -> Case:
    """The same sentencepiece model as the Hugging Face library writes it."""
    model = samples.sentencepiece_model()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocabulary = {reference.id_to_piece(at): at for at in range(reference.vocab_size())}
    merges = sorted(
        (-reference.get_score(at), left, right)
        for text, at in vocabulary.items()
        if reference.get_score(at) < 0 and not reference.is_byte(at)
        for left, right in ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        if left in vocabulary and right in vocabulary
    )
    added = [
        {"id": at, "content": text, "special": True, "lstrip": False, "rstrip": False}
        for at, text in enumerate(("<unk>", "<s>", "</s>"))
    ]
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    content = {
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Prepend", "prepend": "▁"}, space],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "byte_fallback": True,
            "vocab": vocabulary,
            "merges": [[left, right] for _, left, right in merges],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    specials = {"<unk>": 0, "<s>": 1, "</s>": 2}
    return sentencepiece_case(folder, "llama", model, convert(folder, "llama"), specials)


def make_llama_gguf(folder: Path) -> Case:
    model = samples.sentencepiece_model()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    places = range(reference.vocab_size())
    writer = gguf_writer(folder, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([reference.id_to_piece(at) for at in places])
    writer.add_token_scores([reference.get_score(at) for at in places])
    writer.add_token_types(
        [2 if at == 0 else 3 if at < 3 else 6 if reference.is_byte(at) else 1 for at in places]
    )
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    close_gguf(writer)
    facts = convert(folder, "llama", folder / "model.gguf")
    specials = {"<s>": 1, "</s>": 2}
    return sentencepiece_case(folder, "llama", model, facts, specials, [1])


def make_chatglm3_gguf(folder: Path) -> Case:
    """Special tokens lie within the vocabulary, and 1 and 2 have other names."""
    model = samples.sentencepiece_model()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    size = reference.vocab_size()
    names = ["[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", *ROLES]
    pieces = ["<unk>", "<bos>", "<eos>", *(reference.id_to_piece(at) for at in range(3, size))]
    writer = gguf_writer(folder, "chatglm")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*pieces, *names, "[PAD1]"])
    writer.add_token_scores([*(reference.get_score(at) for at in range(size)), *[0.0] * 10])
    kinds = [2, 3, 3, *(6 if reference.is_byte(at) else 1 for at in range(3, size))]
    writer.add_token_types([*kinds, *[3] * 9, 5])
    writer.add_eos_token_id(2)
    close_gguf(writer)
    facts = convert(folder, "chatglm3", folder / "model.gguf")
    ids = {name: size + at for at, name in enumerate(names)}
    matched = {name: at for name, at in ids.items() if name not in ("sop", "eop")}
    prefix = [ids["[gMASK]"], ids["sop"]]
    return sentencepiece_case(folder, "chatglm3", model, facts, matched, prefix)


def make_qwen2_gguf(folder: Path) -> Case:
    texts = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    added = [AddedToken(text, special=True, normalized=False) for text in texts]
    reference = samples.byte_level(QWEN2_PATTERN, added, nfc=True)
    vocabulary = sorted(reference.get_vocab().items(), key=lambda entry: entry[1])
    merges = json.loads(reference.to_str())["model"]["merges"]
    writer = gguf_writer(folder, "qwen2")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in texts else 1 for token, _ in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(reference.token_to_id("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template("{{ messages[0].content }}")
    close_gguf(writer)
    return Case(
        folder / "converted",
        convert(folder, "qwen2", folder / "model.gguf"),
        lambda text: reference.encode(text, add_special_tokens=False).ids,
        reference.decode,
        {text: reference.token_to_id(text) for text in texts},
        [],
        [],
    )


def gguf_writer(folder: Path, architecture: str) -> GGUFWriter:
    return GGUFWriter(str(folder / "model.gguf"), architecture)


def close_gguf(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


MAKERS = {
    name.removeprefix("make_"): maker
    for name, maker in list(globals().items())
    if name.startswith("make_")
}
