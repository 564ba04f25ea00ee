"""A checkpoint's tokenizer → OpenVINO tokenizer and detokenizer, with the chat template inside."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from serving.ir import chat_template, gguf_tokens, glm_tokens, sentencepiece_model, tokenizer_json
from serving.ir.sentencepiece_model import Kind
from serving.ir.token_set import SentencePieces, SpecialToken, TokenizerError, TokenSet

__all__ = ["TokenizerError", "TokenizerFacts", "convert_tokenizer"]

TOKENIZER_FILE = "openvino_tokenizer.xml"
DETOKENIZER_FILE = "openvino_detokenizer.xml"
_ENDS = {
    "chatglm": ("<eop>",),
    "chatglm2": ("</s>",),
    "chatglm3": ("</s>", "<|user|>", "<|observation|>"),
    "glm4": ("<|endoftext|>", "<|user|>", "<|observation|>"),
    "glm": ("<|endoftext|>", "<|user|>", "<|observation|>"),
    "qwen2": ("<|im_end|>", "<|endoftext|>"),
    "qwen3": ("<|im_end|>", "<|endoftext|>"),
    "llama": ("</s>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
}
_IMAGE_TOKENS = 20_000
_FIRST_CHATGLM_VOCABULARY = 150_528
_log = logging.getLogger("bedside.serving.ir.tokenizer")


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What a model's manifest and generation settings need to know of its tokenizer.

    ``vocab_size``: ids that decode to something, special tokens among them, or more where the
    model's logits are more.  ``control_tokens``: texts that a prompt would turn into special
    tokens.  ``end_token_ids``: those that end an answer.
    """

    vocab_size: int
    bos_id: int | None
    eos_id: int | None
    pad_id: int | None
    end_token_ids: tuple[int, ...]
    control_tokens: tuple[str, ...]
    chat_template: str


def convert_tokenizer(
    source: Path,
    target: Path,
    family: str,
    context_length: int,
    fields: Mapping[str, Any] | None = None,
) -> TokenizerFacts:
    """Write the tokenizer of ``source`` into the folder ``target``.

    ``source``: a checkpoint's folder or a GGUF file.  ``family``: chatglm, chatglm2, chatglm3,
    glm4 (as its authors published it), glm (its Hugging Face layout), qwen2, qwen3 or llama.
    ``context_length``: tokens to which a text is cut, and only when its caller asks for that.
    ``fields``: a GGUF file's metadata, key → value, where the caller has read it already.

    Raises:
        TokenizerError: the tokenizer is missing, damaged or of a kind that is not known.
    """
    tokens, published, ends = read_tokens(source, family, fields)
    template = chat_template.choose(
        family, published, lambda text: tokens.special(text) is not None
    )
    named = [at for text in _ENDS[family] if (at := tokens.special(text)) is not None]
    own = [tokens.eos] if tokens.eos is not None else []
    facts = TokenizerFacts(
        vocab_size=len(tokens.tokens),
        bos_id=tokens.bos,
        eos_id=tokens.eos,
        pad_id=tokens.pad,
        end_token_ids=tuple(dict.fromkeys([*own, *named, *ends])),
        control_tokens=tuple(
            sorted({token.text for token in tokens.specials if token.hidden and token.matched})
        ),
        chat_template=template,
    )
    _write(tokens, target, facts, context_length)
    _log.info("tokenizer of %d ids written", facts.vocab_size)
    return facts


def read_tokens(
    source: Path, family: str, fields: Mapping[str, Any] | None = None
) -> tuple[TokenSet, str, list[int]]:
    """The tokens, the chat template as published, and the ids that the settings end an answer on.

    As for `convert_tokenizer`, which see.
    """
    if family not in _ENDS:
        raise TokenizerError(f"No tokenizer is known for {family}; known: {', '.join(_ENDS)}.")
    if source.is_file():
        ggml = gguf_tokens.tokenizer_fields(source, fields)
        tokens = _guarded(source, lambda: gguf_tokens.read(ggml, family))
        return tokens, str(ggml.get("chat_template") or ""), []
    settings = _json(source / "tokenizer_config.json")
    model = _json(source / "config.json")
    tokens = _completed(_folder(source, family, settings, model), settings, model)
    ends = [*_ids(model), *_ids(_json(source / "generation_config.json"))]
    return tokens, chat_template.published(source, settings), ends


def _write(tokens: TokenSet, target: Path, facts: TokenizerFacts, context_length: int) -> None:
    import openvino

    from serving.ir.tokenizer_graph import detokenizer_graph, tokenizer_graph

    graphs = {
        TOKENIZER_FILE: tokenizer_graph(tokens, context_length),
        DETOKENIZER_FILE: detokenizer_graph(tokens),
    }
    version = importlib.metadata.version("openvino-tokenizers")
    for name, graph in graphs.items():
        # GenAI leaves its options off for a graph that does not say what wrote it.
        graph.set_rt_info(version, "openvino_tokenizers_version")
        graph.set_rt_info(facts.chat_template, "chat_template")
        ids = (("bos", facts.bos_id), ("eos", facts.eos_id), ("pad", facts.pad_id))
        for what, value in ids:
            if value is not None:
                graph.set_rt_info(value, f"{what}_token_id")
        path = target / name
        try:
            openvino.save_model(graph, str(path), compress_to_fp16=False)
        except RuntimeError as error:
            # It says nothing of the reason, which is hardly another one.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


def _folder(
    folder: Path, family: str, settings: Mapping[str, Any], model: Mapping[str, Any]
) -> TokenSet:
    """The tokenizer in a checkpoint's folder, from the first of its files that is there."""
    names = {
        "chatglm": ("ice_text.model",),
        "chatglm2": ("tokenizer.model",),
        "chatglm3": ("tokenizer.model",),
        "glm4": ("tokenizer.model", "tokenizer.json"),
        "llama": ("tokenizer.model", "tokenizer.json"),
    }.get(family, ("tokenizer.json",))
    found = [folder / name for name in names if (folder / name).is_file()]
    # Llama 3 calls its rank file tokenizer.model too; what it needs beside it is in the other.
    if family == "llama" and len(found) > 1 and not _is_sentencepiece(found[0]):
        del found[0]
    if not found:
        raise TokenizerError(
            f"{folder} has no tokenizer ({' or '.join(names)}); copy it there from where the "
            "weights came from."
        )
    path = found[0]

    def read() -> TokenSet:
        data = path.read_bytes()
        if path.suffix == ".json":
            return tokenizer_json.read(json.loads(data))
        if family == "glm4":
            return glm_tokens.glm4(data)
        pieces = sentencepiece_model.parse(data)
        if family == "chatglm":
            return glm_tokens.chatglm(data, pieces, _image_tokens(settings, model))
        if family == "llama":
            return _llama(data, pieces, folder, settings)
        return glm_tokens.chatglm2(data, pieces, roles=family == "chatglm3")

    return _guarded(path, read)


def _llama(
    data: bytes,
    model: sentencepiece_model.SentencePieceModel,
    folder: Path,
    settings: Mapping[str, Any],
) -> TokenSet:
    """Llama's sentencepiece file, with the tokens that a fine-tune added beside it."""
    added = {
        piece.text: SpecialToken(piece.text, at)
        for at, piece in enumerate(model.pieces)
        if piece.kind in (Kind.CONTROL, Kind.UNKNOWN)
    }
    for text, at in _json(folder / "added_tokens.json").items():
        added[text] = SpecialToken(text, int(at))
    for key, entry in (settings.get("added_tokens_decoder") or {}).items():
        added[entry["content"]] = SpecialToken(
            entry["content"], int(key), hidden=bool(entry.get("special", True))
        )
    tokens = [piece.decoded() for piece in model.pieces]
    beyond = max((token.id for token in added.values()), default=-1) + 1 - len(tokens)
    tokens += [b""] * beyond
    for token in added.values():
        tokens[token.id] = token.text.encode()
    bos, eos = model.find("<s>"), model.find("</s>")
    first = (bos,) if bos is not None and settings.get("add_bos_token", True) else ()
    return TokenSet(
        SentencePieces(data),
        tokens,
        tuple(added.values()),
        prefix=first,
        bos=bos,
        eos=eos,
        leading_space=model.leading_space,
    )


def _completed(tokens: TokenSet, settings: Mapping[str, Any], model: Mapping[str, Any]) -> TokenSet:
    """With the ids that only the settings name, and an entry for every logit."""

    def named(role: str, known: int | None) -> int | None:
        token = settings.get(f"{role}_token")
        text = token.get("content") if isinstance(token, dict) else token
        found = tokens.special(text) if isinstance(text, str) else None
        if known is not None or found is not None:
            return found if known is None else known
        ids = _ids(model, f"{role}_token_id")
        return ids[0] if ids else None

    eos = named("eos", tokens.eos)
    size = model.get("padded_vocab_size") or model.get("vocab_size") or 0
    return replace(
        tokens,
        tokens=tokens.tokens + [b""] * (int(size) - len(tokens.tokens)),
        bos=named("bos", tokens.bos),
        eos=eos,
        pad=eos if (pad := named("pad", tokens.pad)) is None else pad,
    )


def _image_tokens(settings: Mapping[str, Any], model: Mapping[str, Any]) -> int:
    """How many ids of ChatGLM-6B lie before its pieces: 20 000 in its first release, none after."""
    if (given := settings.get("num_image_tokens")) is not None:
        return int(given)
    return _IMAGE_TOKENS if model.get("vocab_size") == _FIRST_CHATGLM_VOCABULARY else 0


def _is_sentencepiece(path: Path) -> bool:
    try:
        sentencepiece_model.parse(path.read_bytes())
    except ValueError:
        return False
    return True


def _guarded(path: Path, read: Callable[[], TokenSet]) -> TokenSet:
    """What ``read`` returns; every failure becomes a sentence that names the file."""
    try:
        return read()
    except TokenizerError as error:
        raise TokenizerError(f"The tokenizer in {path} cannot be used. {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise TokenizerError(
            f"The tokenizer file {path} is damaged or of another kind; copy it again from where "
            "the weights came from."
        ) from error


def _ids(settings: Mapping[str, Any], key: str = "eos_token_id") -> list[int]:
    value = settings.get(key)
    return [at for at in _each(value) if isinstance(at, int) and at >= 0]


def _each(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else [value]


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TokenizerError(f"{path} is not valid JSON; copy it again.") from error
    return value if isinstance(value, dict) else {}
