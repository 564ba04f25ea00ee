"""Training proper; needs the extra ``train``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bert

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from assistant.tasks.structuring.recognizer import ModelRecognizer  # noqa: E402
from assistant.training import export, ner, pretrain, scoring  # noqa: E402
from assistant.training.dataset import Example, Label  # noqa: E402
from assistant.training.loss import span_loss  # noqa: E402
from assistant.training.model import MaskedModel, SpanModel, load  # noqa: E402
from assistant.training.optimisation import (  # noqa: E402
    Average,
    TrainingInvalid,
    extended,
)
from assistant.training.state import FILE_NAME, StateInvalid  # noqa: E402
from serving.encoder.checkpoint import BertCheckpoint  # noqa: E402
from serving.encoder.convert import convert  # noqa: E402
from serving.encoder.runtime import BertRuntime  # noqa: E402
from serving.encoder.shape import Shape  # noqa: E402
from serving.encoder.vocabulary import of_characters  # noqa: E402

pytestmark = pytest.mark.train
DRUGS, SIGNS = ("阿司匹林", "青霉素", "胰岛素"), ("胸痛", "发热", "咳嗽", "头晕")
SHAPE = Shape(1, 32, 1, 2, 64, 64)
SETTINGS = ner.NerSettings(
    epochs=12, patience=12, tokens=256, rate=4e-3, head_rate=8e-3, numbers="f32", average=0.9
)


def examples(count: int, seed: int = 0) -> list[Example]:
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        sign, drug = str(random.choice(SIGNS)), str(random.choice(DRUGS))
        text = f"患者{sign}，予{drug}。"
        end = 2 + len(sign)
        labels = (Label(2, end, "sign"), Label(end + 2, end + 2 + len(drug), "drug"))
        made.append(Example(text, labels, frozenset({"sign", "drug"})))
    return made


def quiet(done: int, total: int, told: str) -> None:
    assert done > 0
    assert told


def test_the_graph_computes_what_pytorch_does(tmp_path: Path) -> None:
    words = tiny_bert.vocabulary()
    model = SpanModel(tiny_bert.SHAPE, tiny_bert.SPAN).eval()
    load(model, tiny_bert.tensors())
    export.write(tmp_path / "a", model.state_dict(), tiny_bert.SHAPE, words, tiny_bert.SPAN)
    runtime = BertRuntime(convert(tmp_path / "a", tmp_path / "b"), "f32")
    rows = [words.tokens(text).ids for text in ("患者胸痛3天。", "", "予阿司匹林100mg，无发热")]
    own = dict(ner.TorchScan(model, words, 64, "f32")(rows))
    for index, scores in runtime.spans(rows):
        expected = own[index].dense()
        finite = np.isfinite(expected)
        assert np.abs(scores.dense()[finite] - expected[finite]).max(initial=0) < 1e-4


def test_the_loss_is_that_of_the_formula() -> None:
    random = torch.Generator().manual_seed(3)
    pairs = 9 * torch.randn(2, 5, 5, generator=random)
    starts, stops = (9 * torch.randn(2, 3, 5, generator=random) for _ in range(2))
    scores = pairs[:, None] + starts[..., None] + stops[:, :, None, :]
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    # Two types share a place.
    gold = torch.tensor([[0, 1, 1, 2], [0, 2, 1, 2], [0, 1, 0, 3], [1, 0, 2, 2]])
    annotated = torch.tensor([[True, True, True], [True, False, True]])
    expected = []
    spans = set(map(tuple, gold.tolist()))
    for row in range(2):
        for kind in range(3):
            if annotated[row, kind]:
                wrong = missed = 1.0
                for i in range(5):
                    for j in range(i, 5):
                        if mask[row, i] and mask[row, j]:
                            value = float(scores[row, kind, i, j])
                            if (row, kind, i, j) in spans:
                                missed += np.exp(-value)
                            else:
                                wrong += np.exp(value)
                expected.append(np.log(wrong) + np.log(missed))
    found = float(span_loss((pairs, starts, stops), mask, gold, annotated))
    assert found == pytest.approx(np.mean(expected), rel=1e-5)


def test_a_model_learns_stops_and_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "THRESHOLDS", (0.3,))
    training, dev = examples(120), examples(30, 1)
    words = of_characters((one.text for one in training), least=1)
    made = ner.train(training, dev, (words, SHAPE), tmp_path / "ner", SETTINGS, quiet)
    assert made.dev.micro().f1 > 0.95
    assert made.epochs[made.best - 1].f1 == max(epoch.f1 for epoch in made.epochs)
    assert not (tmp_path / "ner" / FILE_NAME).exists()
    folder = convert(tmp_path / "ner", tmp_path / "ov")
    recognizer = ModelRecognizer.open(folder, "f32")
    assert recognizer.above == made.above == made.epochs[made.best - 1].above == 0.3
    found = recognizer.labelled("患者头晕，\r\n予青霉素。")
    assert [(one.start, one.end, one.label) for one in found] == [(2, 4, "sign"), (8, 11, "drug")]


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    training, dev = examples(60), examples(10, 1)
    words = of_characters((one.text for one in training), least=1)
    settings = replace(SETTINGS, epochs=4, exchange=0.3, hidden=0.1)
    begin = (words, SHAPE)
    ner.train(training, dev, begin, tmp_path / "whole", settings, quiet)

    class Killed(Exception):
        pass

    def kill(done: int, total: int, told: str) -> None:
        if told.startswith("epoch 3,"):
            raise Killed

    with pytest.raises(Killed):
        ner.train(training, dev, begin, tmp_path / "cut", settings, kill)
    assert (tmp_path / "cut" / FILE_NAME).is_file()
    ner.train(training, dev, begin, tmp_path / "cut", settings, quiet)
    whole, cut = (BertCheckpoint(tmp_path / name) for name in ("whole", "cut"))
    assert all(
        np.array_equal(values, cut.encoder_tensors()[name])
        for name, values in whole.encoder_tensors().items()
    )


def test_a_state_of_other_settings_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    training = examples(20)
    words = of_characters((one.text for one in training), least=1)

    def stop(done: int, total: int, told: str) -> None:
        if told.startswith("epoch 2,"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ner.train(training, training, (words, SHAPE), tmp_path, SETTINGS, stop)
    with pytest.raises(StateInvalid, match="other settings"):
        ner.train(training, training, (words, SHAPE), tmp_path, replace(SETTINGS, seed=2), quiet)
    state = tmp_path / FILE_NAME
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(StateInvalid, match="damaged"):
        ner.train(training, training, (words, SHAPE), tmp_path, SETTINGS, quiet)


def test_types_that_were_not_annotated_do_not_count(tmp_path: Path) -> None:
    signs = [
        replace(one, labels=one.labels[:1], annotated=frozenset({"sign"})) for one in examples(60)
    ]
    drugs = [
        replace(one, labels=one.labels[1:], annotated=frozenset({"drug"}))
        for one in examples(60, 2)
    ]
    words = of_characters((one.text for one in signs), least=1)
    made = ner.train(
        signs + drugs, signs[:10] + drugs[:10], (words, SHAPE), tmp_path / "a", SETTINGS, quiet
    )
    assert made.dev.micro().f1 > 0.95
    folder = convert(tmp_path / "a", tmp_path / "b")
    found = ModelRecognizer.open(folder, "f32").labelled("患者发热，予胰岛素。")
    assert {one.label for one in found} == {"sign", "drug"}


def test_intels_extension_is_used_where_it_is_and_missed_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model: Any = torch.nn.Linear(2, 1)
    monkeypatch.setitem(sys.modules, "intel_extension_for_pytorch", None)
    assert extended(model, "optimizer", False) == (model, "optimizer")
    assert not caplog.text
    assert extended(model, "optimizer", True) == (model, "optimizer")
    assert "cannot be imported" in caplog.text

    class Extension:
        @staticmethod
        def optimize(model: Any, *, optimizer: Any, dtype: Any, inplace: bool) -> tuple[Any, Any]:
            assert model.training
            assert inplace
            return model, f"faster {optimizer}"

    monkeypatch.setitem(sys.modules, "intel_extension_for_pytorch", Extension)
    if not torch.cuda.is_available():
        assert extended(model, "optimizer", True) == (model, "faster optimizer")


def test_nothing_annotated_is_refused(tmp_path: Path) -> None:
    bare = [Example("患者胸痛", (), frozenset())]
    words = of_characters(["患者胸痛"], least=1)
    with pytest.raises(TrainingInvalid, match="must both hold entities"):
        ner.train(bare, bare, (words, SHAPE), tmp_path, SETTINGS, quiet)


def test_pretraining_learns_resumes_and_gives_an_encoder(tmp_path: Path) -> None:
    texts = [example.text for example in examples(400)]
    words = of_characters(texts, least=1)
    shape = replace(SHAPE, hidden_size=64, intermediate_size=128)
    settings = pretrain.PretrainSettings(
        steps=150, batch=8, length=32, rate=3e-3, numbers="f32", save_every=20, look_every=80
    )
    whole = pretrain.pretrain(texts, words, shape, tmp_path / "whole", settings, quiet)
    # A character in ten is the most frequent one; all alike would be the logarithm.
    assert whole.right > 0.15
    assert whole.loss < np.log(len(words)) * 0.9

    class Killed(Exception):
        pass

    def kill(done: int, total: int, told: str) -> None:
        if done == 75:
            raise Killed

    with pytest.raises(Killed):
        pretrain.pretrain(texts, words, shape, tmp_path / "cut", settings, kill)
    pretrain.pretrain(texts, words, shape, tmp_path / "cut", settings, quiet)
    first, second = (BertCheckpoint(tmp_path / name) for name in ("whole", "cut"))
    for name, values in first.encoder_tensors().items():
        assert np.array_equal(values, second.encoder_tensors()[name])
    assert first.config["training"]["pretrain"]["tokens"] == 150 * 8 * 32
    training = examples(40)
    made = ner.train(training, training, first, tmp_path / "ner", SETTINGS, quiet)
    assert made.dev.micro().f1 > 0.9


def test_heads_of_the_first_layer_begin_at_their_neighbours() -> None:
    torch.manual_seed(0)
    model = MaskedModel(Shape(500, 256, 1, 4, 512, 128)).eval()
    attention = model.bert.encoder["layer"][0].attention.self
    rows = model.bert.embeddings(torch.randint(5, 500, (1, 60)), 20)
    query, key = (
        part(rows).view(60, 4, 64).transpose(0, 1) for part in (attention.query, attention.key)
    )
    weight = (query @ key.transpose(1, 2) / 8).softmax(-1)
    for head, shift in enumerate((-1, 1, -2, 2)):
        shares: dict[int, float] = {
            other: float(weight[head].diagonal(other).mean().detach()) for other in range(-4, 5)
        }
        assert max(shares, key=lambda other: shares[other]) == shift
        assert shares[shift] > 0.5


def test_the_average_is_in_place_only_for_as_long_as_asked() -> None:
    model: Any = torch.nn.Linear(2, 1)
    average = Average(model, 0.5)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1)
    average.update(model)
    with average.in_place(model):
        assert not torch.equal(model.weight, before + 1)
        assert not torch.equal(model.weight, before)
    assert torch.equal(model.weight, before + 1)


def test_the_commands_run_from_text_to_a_scored_model(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from assistant.commands.train import app

    def lines(name: str, seed: int, count: int) -> Path:
        path = tmp_path / name
        records = [
            {
                "text": one.text,
                "entities": [
                    {"start": label.start, "end": label.end, "type": label.type}
                    for label in one.labels
                ],
            }
            for one in examples(count, seed)
        ]
        path.write_text(
            "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records),
            encoding="utf-8",
        )
        return path

    train, test = lines("train.jsonl", 0, 150), lines("test.jsonl", 5, 20)
    encoder, model, served = tmp_path / "encoder", tmp_path / "ner", tmp_path / "ov"
    small = ["--width", "64", "--layers", "1"]
    for words in (
        ["pretrain", "--data", train, "--out", encoder, "--steps", "5", "--batch", "4", *small],
        ["ner", "--from", encoder, "--train", f"a={train}", "--dev", f"a={test}", "--out", model,
         "--epochs", "6", "--tokens", "256", "--rate", "3e-3"],
        ["export", model, "--out", served],
        ["score", served, "--test", f"a={test}", "--report", tmp_path / "report", "--json"],
    ):  # fmt: skip
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["a"]["micro"]["f1"] > 0.9
    assert (tmp_path / "report" / "a" / "confusion.svg").is_file()
    assert (model / "report.md").is_file()
