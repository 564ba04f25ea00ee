"""Folders as Transformers itself saves them, against its own model; needs the extra ``train``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_bert

from serving.encoder.convert import convert
from serving.encoder.runtime import BertRuntime

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.train
WORDS = tiny_bert.vocabulary()


@pytest.mark.parametrize("name", ["BertModel", "BertForMaskedLM"])
def test_a_published_folder_gives_the_hidden_states_of_transformers(
    tmp_path: Path, name: str
) -> None:
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
        initializer_range=0.2,
    )
    model = getattr(transformers, name)(config).eval()
    model.save_pretrained(tmp_path / "published")
    WORDS.write(tmp_path / "published")
    runtime = BertRuntime(convert(tmp_path / "published", tmp_path / "converted"), "f32")
    rows = [WORDS.tokens(text).ids for text in ("患者胸痛3天。", "冠", "行冠脉造影示左前降支狭窄")]
    for index, vectors in runtime.hidden(rows):
        ids = torch.tensor([[WORDS.first, *rows[index], WORDS.last]])
        with torch.no_grad():
            states = getattr(model, "bert", model)(ids).last_hidden_state
        assert np.allclose(vectors, states[0, 1:-1].numpy(), atol=1e-4)
