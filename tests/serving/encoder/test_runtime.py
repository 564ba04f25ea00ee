from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bert

from serving.encoder.convert import convert
from serving.encoder.runtime import BertRuntime, ModelUnavailable, Placement, placements
from serving.ir.checkpoint import CheckpointError
from serving.models import manifest

WORDS = tiny_bert.vocabulary()
ROWS = [
    WORDS.tokens(text).ids
    for text in ("患者胸痛3天。", "冠", "", "行冠脉造影示左前降支狭窄，予阿司匹林100mg", "无发热")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tiny_bert.write(tmp_path_factory.mktemp("bert") / "tiny")
    return convert(source, source.parent / "converted", licence="Apache-2.0")


def expected(row: list[int]) -> np.ndarray:
    ids = [WORDS.first, *row, WORDS.last]
    scores = tiny_bert.scores(tiny_bert.tensors(), ids)[:, 1:-1, 1:-1]
    scores[:, np.tri(len(row), k=-1, dtype=bool)] = -np.inf
    return scores


@pytest.mark.parametrize("tokens", [1, 24, 4_096])
def test_scores_are_those_of_the_reference_whatever_the_batch(folder: Path, tokens: int) -> None:
    runtime = BertRuntime(folder, "f32", Placement(tokens=tokens))
    found = dict(runtime.spans(ROWS))
    assert sorted(found) == list(range(len(ROWS)))
    for index, row in enumerate(ROWS):
        dense = found[index].dense()
        assert dense.shape == (len(tiny_bert.LABELS), len(row), len(row))
        assert np.allclose(dense, expected(row), atol=1e-4)


def test_an_encoder_gives_the_vectors_of_the_reference(tmp_path: Path) -> None:
    source = tiny_bert.write(tmp_path / "encoder", span=None)
    runtime = BertRuntime(convert(source, tmp_path / "converted"), "f32")
    weights = tiny_bert.tensors(span=None)
    for index, vectors in runtime.hidden(ROWS):
        ids = [WORDS.first, *ROWS[index], WORDS.last]
        assert np.allclose(vectors, tiny_bert.hidden(weights, ids)[1:-1], atol=1e-4)
    with pytest.raises(ModelUnavailable, match="without a span head"):
        list(runtime.spans(ROWS))


def test_every_activation_is_built(tmp_path: Path) -> None:
    found = {}
    for name in ("gelu", "gelu_new", "relu"):
        shape = replace(tiny_bert.SHAPE, hidden_act=name)
        source = tiny_bert.write(tmp_path / name, shape=shape)
        runtime = BertRuntime(convert(source, tmp_path / f"{name}-ov"), "f32")
        found[name] = dict(runtime.spans(ROWS))[0].pairs
    assert np.allclose(found["gelu"], found["gelu_new"], atol=0.02)
    assert not np.array_equal(found["gelu"], found["gelu_new"])
    assert not np.allclose(found["gelu"], found["relu"], atol=0.02)


def test_bfloat16_stays_near(folder: Path) -> None:
    try:
        runtime = BertRuntime(folder, "bf16")
    except ModelUnavailable as error:
        pytest.skip(str(error))
    for index, scores in runtime.spans(ROWS):
        dense = scores.dense()
        finite = np.isfinite(dense)
        assert np.abs(dense[finite] - expected(ROWS[index])[finite]).max(initial=0) < 0.5


def test_threads_share_one_runtime(folder: Path) -> None:
    runtime = BertRuntime(folder, "f32", Placement(streams=2, threads=2, tokens=16))

    def one(_: int) -> list[float]:
        found = dict(runtime.spans(ROWS * 3))
        return [float(found[index].pairs.sum()) for index in range(len(ROWS) * 3)]

    with ThreadPoolExecutor(4) as pool:
        sums = list(pool.map(one, range(8)))
    assert np.allclose(sums, sums[0], atol=1e-3)


def test_a_caller_that_stops_early_leaves_the_runtime_whole(folder: Path) -> None:
    runtime = BertRuntime(folder, "f32", Placement(streams=2, threads=2, tokens=8))
    for _ in range(5):
        scan = runtime.spans(ROWS * 4)
        next(scan)
        scan.close()
    assert len(dict(runtime.spans(ROWS))) == len(ROWS)


def test_a_row_too_long_is_refused(folder: Path) -> None:
    runtime = BertRuntime(folder, "f32")
    with pytest.raises(ValueError, match="at most 62"):
        list(runtime.spans([[5] * 63]))
    assert len(dict(runtime.spans([[5] * 62]))) == 1


def test_the_fastest_placement_stays_in_use(folder: Path) -> None:
    runtime = BertRuntime(folder, "f32")
    paces = runtime.measure(placements(2)[:2])
    assert runtime.placement == max(paces, key=lambda choice: paces[choice])
    assert all(pace > 0 for pace in paces.values())


def test_the_manifest_tells_what_is_in_the_folder(folder: Path) -> None:
    told = manifest.parse(folder / manifest.FILE_NAME)
    assert (told.architecture, told.licence, told.context_length) == ("bert-span", "Apache-2.0", 64)
    assert told.settings["weights"] == "fp32"
    assert str(folder.parent) not in (folder / manifest.FILE_NAME).read_text(encoding="utf-8")
    for name, digest in told.files.items():
        assert manifest.sha256_of(folder / name) == digest


def test_a_folder_that_is_not_whole_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="bedside train export"):
        BertRuntime(tmp_path)
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "openvino_model.xml").write_text("<net", encoding="utf-8")
    with pytest.raises(ModelUnavailable, match=r"openvino_model\.xml cannot be read"):
        BertRuntime(tmp_path)


def test_a_configuration_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config["span_head"]["labels"].append("检查")
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelUnavailable, match=r"scores 4 types, but config\.json names 5"):
        BertRuntime(tmp_path)


def test_a_broken_source_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    source = tiny_bert.write(tmp_path / "source")
    target = convert(source, tmp_path / "target")
    before = (target / "openvino_model.bin").read_bytes()
    weights = tiny_bert.tensors()
    del weights["bert.encoder.layer.0.output.dense.bias"]
    tiny_bert.write(source, weights)
    with pytest.raises(CheckpointError, match=r"layer\.0\.output\.dense\.bias"):
        convert(source, target)
    assert (target / "openvino_model.bin").read_bytes() == before
