"""A published tokenizer as this product converts it, token for token against its own library.

The reference reads the same file: sentencepiece for ChatGLM-6B, ChatGLM2, ChatGLM3 and Llama,
``tokenizers`` where there is a ``tokenizer.json``.  Texts are the lines of a file (every string of
a JSON line), edge cases, and random strings from all of Unicode.  For ChatGLM the prompt of a
conversation is compared too, with what the authors' procedure makes of it.

    python -m bench.tokenization --family chatglm3 --folder /models/chatglm3-6b --texts notes.jsonl
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openvino_genai
import sentencepiece
import tokenizers

from bench.machine import describe
from serving.ir.tokenizer import convert_tokenizer

Reference = tuple[Callable[[str], list[int]], Callable[[list[int]], str]]
EDGES = (
    *("", " ", "  ", "\t", "\n", "\r\n", " a", "  你好", "a ", "tab\t\tx\r\n\r\n  y \n\n\n z"),
    *("咳" * 3000, " " * 500, "\u3000\u3000全角", "👨‍👩‍👧‍👦🇨🇳👍🏽", "e\u0301a\u0308", "ﬁ①Ⅳ㎡㎎"),
    *("WBC 12.3×10^9/L，CRP>5mg/L；T 38.5℃", "isoprenaline aesop eop sop [MASK", "▁x ▁"),
    *("\x01\x02\x1b\x7f\x85\xa0", "\u200b\ufeff\u200d", "𠀀𪚥龘", '{"a": [1, 2, {"b": "c"}]}'),
)
_COMMON = " \t\n\r　，。1a中é\u0301'-<|>"
_BLANKS = range(80, 1, -1)
TALK = (("user", "胸痛3天\n伴发热"), ("assistant", "建议查心电图。"), ("user", "  还要查什么？"))


def lines(path: Path, limit: int) -> list[str]:
    """Up to ``limit`` texts: the lines of a file, or every longer string of its JSON lines."""
    found: list[str] = []
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in map(str, file):
            found += _strings(json.loads(line)) if line[:1] in "[{" else [line.rstrip("\n")]
            if len(found) >= limit:
                break
    return found[:limit]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= 8:
            yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def random_texts(count: int) -> list[str]:
    """Strings of assigned characters, half of them common ones."""
    draw = random.Random(1)
    assigned = [
        chr(code)
        for code in range(0x30000)
        if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
    ]
    return [
        "".join(
            draw.choice(_COMMON if draw.random() < 0.5 else assigned)
            for _ in range(draw.randint(1, 40))
        )
        for _ in range(count)
    ]


def reference(folder: Path, family: str) -> Reference:
    """Encoding and decoding by the library that the file is made for."""
    if (folder / "tokenizer.json").is_file():
        whole = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        return (
            lambda text: list(whole.encode(text, add_special_tokens=False).ids),
            lambda ids: str(whole.decode(ids)),
        )
    name = "ice_text.model" if family == "chatglm" else "tokenizer.model"
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / name))
    if family == "chatglm":
        return (
            lambda text: list(pieces.encode(_written(text))),
            lambda ids: _read(pieces.decode(ids)),
        )
    return lambda text: list(pieces.encode(text)), lambda ids: str(pieces.decode(ids))


def _written(text: str) -> str:
    """White space in the words that ChatGLM-6B has for it."""
    text = text.replace("\n", "<n>").replace("\t", "<|tab|>")
    for size in _BLANKS:
        text = text.replace(" " * size, f"<|blank_{size}|>")
    return text


def _read(text: str) -> str:
    text = text.replace("<n>", "\n").replace("<|tab|>", "\t")
    return re.sub(r"<\|blank_(\d+)\|>", lambda found: " " * int(found[1]), text)


def prompt(family: str, folder: Path) -> list[int] | None:
    """The ids of `TALK` as the authors of a ChatGLM build them; None for other families."""
    if not family.startswith("chatglm"):
        return None
    encode, _ = reference(folder, family)
    if family == "chatglm":
        rounds = "[Round 0]\n问：{}\n答：{}\n[Round 1]\n问：{}\n答："
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "ice_text.model"))
        ends = [pieces.piece_to_id(name) for name in ("[gMASK]", "<sop>")]
        return encode(rounds.format(*(words for _, words in TALK))) + ends
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    first = pieces.get_piece_size()
    begin = [first + 1, first + 3]
    if family == "chatglm2":
        rounds = "[Round 1]\n\n问：{}\n\n答：{}\n\n[Round 2]\n\n问：{}\n\n答："
        return begin + encode(rounds.format(*(words for _, words in TALK)))
    roles = {"user": first + 6, "assistant": first + 7}
    for role, words in TALK:
        begin += [roles[role], *encode("\n"), *encode(words)]
    # The line end is what the model itself begins an answer with where it calls no tool.
    return [*begin, roles["assistant"], *encode("\n")]


def compare(family: str, folder: Path, texts: dict[str, list[str]]) -> dict[str, Any]:
    """How many texts of each kind come out otherwise, encoded and decoded."""
    encode, decode = reference(folder, family)
    with tempfile.TemporaryDirectory() as scratch:
        convert_tokenizer(folder, Path(scratch), family, 8192)
        ours = openvino_genai.Tokenizer(scratch)
    found: dict[str, Any] = {"family": family}
    for kind, of_kind in texts.items():
        encoded = decoded = 0
        for text in of_kind:
            expected = encode(text)
            ids = ours.encode(text, add_special_tokens=False).input_ids.data.tolist()[0]
            encoded += ids != expected
            decoded += bool(expected) and ours.decode(expected) != decode(expected)
        found[kind] = {
            "texts": len(of_kind),
            "encoded_otherwise": encoded,
            "decoded_otherwise": decoded,
        }
    if (expected_prompt := prompt(family, folder)) is not None:
        talk = [{"role": role, "content": words} for role, words in TALK]
        text = ours.apply_chat_template(talk, True)
        ids = ours.encode(text, add_special_tokens=False).input_ids.data.tolist()[0]
        found["prompt_equal"] = ids == expected_prompt
    return found


def main() -> None:
    """Read the command line, compare, print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", required=True, help="chatglm, chatglm2, chatglm3, llama, …")
    parser.add_argument("--folder", type=Path, required=True, help="with the tokenizer's file")
    parser.add_argument("--texts", type=Path, action="append", default=[])
    parser.add_argument("--limit", type=int, default=400, help="texts from each file")
    parser.add_argument("--random", type=int, default=3000)
    options = parser.parse_args()
    texts = {
        "lines": [text for path in options.texts for text in lines(path, options.limit)],
        "edges": list(EDGES),
        "random": random_texts(options.random),
    }
    line = {"bench": "tokenization", **compare(options.family, options.folder, texts), **describe()}
    print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
