"""Triples learnt from annotated text, and the learnt model at work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bert

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from assistant.tasks.structuring.relation_model import ModelRelationReader  # noqa: E402
from assistant.training import export, relation, scoring  # noqa: E402
from assistant.training.fitting import FitSettings  # noqa: E402
from assistant.training.loss import span_loss  # noqa: E402
from assistant.training.model import RelationModel, load  # noqa: E402
from assistant.training.optimisation import TrainingInvalid  # noqa: E402
from assistant.training.relation_data import RelationExample  # noqa: E402
from serving.encoder.checkpoint import BertCheckpoint  # noqa: E402
from serving.encoder.convert import convert  # noqa: E402
from serving.encoder.runtime import BertRuntime  # noqa: E402
from serving.encoder.shape import RelationShape, Shape  # noqa: E402
from serving.encoder.vocabulary import of_characters  # noqa: E402

pytestmark = pytest.mark.train
DISEASES, SIGNS, DRUGS = (
    ("肺炎", "高血压", "胃炎"),
    ("发热", "头晕", "腹痛"),
    ("青霉素", "氨氯地平"),
)
SHAPE = Shape(1, 32, 1, 2, 64, 64)
SETTINGS = FitSettings(
    epochs=25, patience=25, tokens=256, rate=4e-3, head_rate=8e-3, numbers="f32", average=0.9
)
HEAD = RelationShape(("临床表现", "药物治疗", "并发症"), size=8)


def examples(count: int, seed: int = 0) -> list[RelationExample]:
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        disease, sign, drug = (str(random.choice(words)) for words in (DISEASES, SIGNS, DRUGS))
        text = f"{disease}可有{sign}，用{drug}。"
        triples = {(disease, "临床表现", sign), (disease, "药物治疗", drug)}
        if random.random() < 0.5:
            text = f"{drug}不治{disease}，它有{sign}。"
            triples = {(disease, "临床表现", sign)}
        made.append(RelationExample(text, frozenset(triples)))
    return made


def only_threshold(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    """Score at one threshold: at low ones a model that has learnt little finds triples anywhere."""
    monkeypatch.setattr(scoring, "THRESHOLDS", (value,))
    monkeypatch.setattr(relation, "THRESHOLDS", (value,))


def quiet(done: int, total: int, told: str) -> None:
    assert done > 0
    assert told


def test_the_graph_computes_what_pytorch_does(tmp_path: Path) -> None:
    words = tiny_bert.vocabulary()
    model = RelationModel(tiny_bert.SHAPE, HEAD).eval()
    load(model, tiny_bert.tensors(span=HEAD))
    export.write(tmp_path / "a", model.state_dict(), tiny_bert.SHAPE, words, HEAD)
    runtime = BertRuntime(convert(tmp_path / "a", tmp_path / "b"), "f32")
    row = words.tokens("予阿司匹林100mg，无发热").ids
    ids = torch.tensor([[words.first, *row, words.last]])
    with torch.no_grad():
        tables = model(ids, torch.ones_like(ids, dtype=torch.bool))
    ((_, found),) = runtime.relations([row])
    for parts, own in zip(tables, (found.spans, found.heads, found.tails), strict=True):
        pairs, starts, stops = (part[0].numpy() for part in parts)
        assert np.abs(own.pairs - pairs[1:-1, 1:-1]).max() < 1e-4
        assert np.abs(own.starts - starts[:, 1:-1]).max() < 1e-4
        assert np.abs(own.stops - stops[:, 1:-1]).max() < 1e-4


def test_the_loss_of_unordered_pairs_is_that_of_the_formula() -> None:
    random = torch.Generator().manual_seed(5)
    pairs = 5 * torch.randn(1, 4, 4, generator=random)
    starts, stops = (5 * torch.randn(1, 2, 4, generator=random) for _ in range(2))
    scores = (pairs[:, None] + starts[..., None] + stops[:, :, None, :])[0]
    gold = [(0, 3, 1), (1, 0, 2)]
    expected = []
    for kind in range(2):
        wrong = missed = 1.0
        for i in range(4):
            for j in range(4):
                value = float(scores[kind, i, j])
                if (kind, i, j) in gold:
                    missed += np.exp(-value)
                else:
                    wrong += np.exp(value)
        expected.append(np.log(wrong) + np.log(missed))
    found = span_loss(
        (pairs, starts, stops),
        torch.ones(1, 4, dtype=torch.bool),
        torch.tensor([(0, *one) for one in gold]),
        torch.ones(1, 2, dtype=torch.bool),
        ordered=False,
    )
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-5)


def test_a_model_learns_and_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_threshold(monkeypatch, 0.3)
    training, dev = examples(150), examples(30, 1)
    words = of_characters((one.text for one in training), least=1)
    made = relation.train(training, dev, (words, SHAPE), tmp_path / "r", SETTINGS, quiet)
    assert made.dev.micro().f1 > 0.95
    assert made.lost == 0
    reader = ModelRelationReader.open(convert(tmp_path / "r", tmp_path / "ov"), "f32")
    assert reader.above == made.above == 0.3
    text = "\r\n肺炎可有头晕，用氨氯地平。"
    found = {one.words(text) for one in reader.read(text)}
    assert found == {("肺炎", "临床表现", "头晕"), ("肺炎", "药物治疗", "氨氯地平")}
    assert reader.read("") == []


def test_a_killed_run_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_threshold(monkeypatch, 0.5)
    training, dev = examples(40), examples(3, 1)
    words = of_characters((one.text for one in training), least=1)
    settings = replace(SETTINGS, epochs=3, hidden=0.1)
    relation.train(training, dev, (words, SHAPE), tmp_path / "whole", settings, quiet)

    def kill(done: int, total: int, told: str) -> None:
        if told.startswith("epoch 3,"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relation.train(training, dev, (words, SHAPE), tmp_path / "cut", settings, kill)
    relation.train(training, dev, (words, SHAPE), tmp_path / "cut", settings, quiet)
    whole, cut = (BertCheckpoint(tmp_path / name) for name in ("whole", "cut"))
    assert all(
        np.array_equal(values, cut.head_tensors()[name])
        for name, values in whole.head_tensors().items()
    )


def test_nothing_annotated_is_refused(tmp_path: Path) -> None:
    bare = [RelationExample("患者胸痛", frozenset())]
    words = of_characters(["患者胸痛"], least=1)
    with pytest.raises(TrainingInvalid, match="must both hold triples"):
        relation.train(bare, bare, (words, SHAPE), tmp_path, SETTINGS, quiet)


def test_the_commands_run_from_text_to_a_scored_model(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from assistant.commands.train import app

    path = tmp_path / "all.jsonl"
    lines = [
        {
            "text": one.text + str(number),
            "spo_list": [
                {"subject": s, "predicate": p, "object": {"@value": o}}
                for s, p, o in sorted(one.triples)
            ],
        }
        for number, one in enumerate(examples(150))
    ]
    path.write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
    )
    parts, model, served = tmp_path / "parts", tmp_path / "r", tmp_path / "ov"
    for words in (
        ["split", path, "--out", parts, "--dev", "0.1", "--test", "0.2"],
        ["relation", "--train", parts / "train.jsonl", "--dev", parts / "dev.jsonl", "--out", model,
         "--layers", "1", "--width", "64", "--epochs", "24", "--tokens", "256", "--rate", "4e-3"],
        ["export", model, "--out", served],
        ["score", served, "--test", parts / "test.jsonl", "--report", tmp_path / "b", "--json"],
    ):  # fmt: skip
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["documents"] == 30
    assert told["micro"]["f1"] > 0.8
    assert told["micro"]["low"] <= told["micro"]["f1"] <= told["micro"]["high"]
    assert "临床表现" in (tmp_path / "b" / "report.md").read_text(encoding="utf-8")
    assert "临床表现" in (tmp_path / "b" / "confusion.svg").read_text(encoding="utf-8")
