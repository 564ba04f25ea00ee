"""A converted detokenizer tells the bytes of every token."""

from __future__ import annotations

from pathlib import Path

import checkpoints
import pytest

from serving.engines.bigdl.token_bytes import token_bytes
from serving.ir.tokenizer import convert_tokenizer


@pytest.mark.parametrize("family", ["llama", "glm", "glm4", "chatglm3"])
def test_bytes_by_id(tmp_path: Path, family: str) -> None:
    source = checkpoints.write(tmp_path / "source", family)
    target = tmp_path / "target"
    target.mkdir()
    facts = convert_tokenizer(source, target, family, 512)
    found = token_bytes(target)
    assert len(found) == facts.vocab_size
    single = {token: at for at, token in enumerate(found) if len(token) == 1}
    assert len(single) == 256
    assert single[b"a"] + 1 == single[b"b"]
    assert all(found[at] == b"" for at in facts.end_token_ids)
