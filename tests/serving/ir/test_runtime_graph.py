"""What the CPU plugin makes of the graph: attention with its cache, rotation, norms are fused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
import pytest
from converted import EXACT, Running, compiled, kind, write
from tiny_checkpoint import GEOMETRIES, write_checkpoint

from serving.ir.architecture import Attention, DeltaNet, LatentAttention, Layer, Mixture, Norm
from serving.ir.formats import Precision
from serving.ir.token_set import BytePairs, SpecialToken, TokenSet
from serving.ir.tokenizer_graph import detokenizer_graph, tokenizer_graph

FAMILIES = [(family, next(iter(named))) for family, named in GEOMETRIES.items()]
# The positions of the prompt's end are ChatGLM-6B's own, and paged attention has no place for them.
PAGED = [case for case in FAMILIES if case[0] != "chatglm"]
INT4 = Precision("int4", group=64)


@pytest.fixture(scope="module", params=FAMILIES, ids=[family for family, _ in FAMILIES])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Running:
    family, geometry = request.param
    folder = tmp_path_factory.mktemp(family)
    source = write_checkpoint(folder / "source", family, **GEOMETRIES[family][geometry])
    return compiled(source, folder, INT4, {})


def layers_of(running: Running) -> list[Layer]:
    return [running.architecture.layer(index) for index in range(running.architecture.layer_count)]


def attentions(running: Running) -> list[Attention | LatentAttention]:
    mixers = (layer.attention for layer in layers_of(running))
    return [mixer for mixer in mixers if not isinstance(mixer, DeltaNet)]


def norms(of: Attention | LatentAttention) -> list[Norm | None]:
    if isinstance(of, Attention):
        return [of.query_norm, of.key_norm]
    return [of.query_norm, of.shared_norm]


def test_each_layer_is_one_attention_or_state_two_rotations_and_its_norms(served: Running) -> None:
    kinds, layers, seen = served.kinds(), layers_of(served), attentions(served)
    assert kinds["ScaledDotProductAttention"] == len(seen)
    assert kinds["RoPE"] == 2 * len(seen)
    assert kinds["GatedDeltaNet"] == len(layers) - len(seen)
    assert kinds["MatMul"] == kinds["TensorIterator"] == 0
    mlps = [layer.mlp for layer in layers]
    routed = [mlp for mlp in mlps if isinstance(mlp, Mixture) and mlp.scoring == "softmax"]
    assert kinds["Softmax"] == len(routed)
    if served.architecture.residual_scale is None:
        optional = [layer.post_attention_norm for layer in layers]
        optional += [layer.post_mlp_norm for layer in layers]
        optional += [norm for mixer in seen for norm in norms(mixer)]
        extra = sum(norm is not None for norm in optional) + len(layers) - len(seen)
        assert kinds["RMS"] == 2 * len(layers) + extra + 1
    else:
        assert kinds["MVN"] == 2 * len(layers) + 1


def test_projections_stay_compressed_and_are_few_a_layer(served: Running) -> None:
    model = served.compiled.get_runtime_model()
    products = [node for node in model.get_ops() if kind(node) == "FullyConnected"]
    layers = layers_of(served)
    mixtures = [layer.mlp for layer in layers if isinstance(layer.mlp, Mixture)]
    shared = sum(mixture.shared is not None for mixture in mixtures)
    # A router, the gate of what every token has, the gates of a state.
    plain = len(mixtures) + sum(mixture.shared_gate is not None for mixture in mixtures)
    plain += len(layers) - len(attentions(served))
    dense = len(layers) - len(mixtures) + shared
    # Latent attention has two of its own, and two for the query where it is narrow.
    latent = [mixer for mixer in attentions(served) if isinstance(mixer, LatentAttention)]
    more = sum(2 + (mixer.query_down is not None) for mixer in latent)
    assert len(products) == 2 * len(layers) + more + 2 * dense + plain + 1
    stored = [str(node.input_value(1).get_element_type().get_type_name()) for node in products]
    codes = {"i4", "u4", "i8", "u8"}
    assert sum(kept not in codes for kept in stored) == plain


def test_experts_are_chosen_by_the_product_and_keep_their_codes(served: Running) -> None:
    model = served.compiled.get_runtime_model()
    chosen = [node for node in model.get_ops() if kind(node) == "GatherMatmul"]
    layers = layers_of(served)
    assert len(chosen) == 3 * sum(isinstance(layer.mlp, Mixture) for layer in layers)
    stored = {str(node.input_value(1).get_element_type().get_type_name()) for node in chosen}
    # A zero point would be time: they are multiplied in floats.
    assert stored <= {"i4"}
    # Query and key of a state are repeated for its value heads; no token is for all experts.
    seen = attentions(served)
    repeated = 2 * (len(layers) - len(seen))
    # So is the turning part of a key that all heads share.
    repeated += sum(isinstance(mixer, LatentAttention) for mixer in seen)
    assert served.kinds()["Tile"] == repeated


def is_cache(node: Any) -> bool:
    """Of keys or values, not of the end of a prompt or of a state."""
    return "key." in node.get_friendly_name() or "value." in node.get_friendly_name()


def test_nothing_copies_keys_and_values(served: Running) -> None:
    """Between a variable and its attention there is no node, and none behind it."""
    model = served.compiled.get_runtime_model()
    found = 0
    for node in model.get_ops():
        if kind(node) != "MemoryInput" or not is_cache(node):
            continue
        users = {
            kind(target.get_node())
            for port in node.outputs()
            for target in port.get_target_inputs()
        }
        assert users == {"ScaledDotProductAttention"}, node.get_friendly_name()
        found += 1
    assert found == 2 * len(attentions(served))
    sources = {
        kind(node.input_value(0).get_node())
        for node in model.get_ops()
        if kind(node) == "MemoryOutput" and is_cache(node)
    }
    assert sources == {"ScaledDotProductAttention"}


@pytest.mark.parametrize(("family", "geometry"), PAGED)
def test_paged_attention_gives_the_tokens_of_the_stateful_model(
    tmp_path: Path, family: str, geometry: str
) -> None:
    source = write_checkpoint(tmp_path / "source", family, **GEOMETRIES[family][geometry])
    path, architecture = write(source, tmp_path)
    stateful = Running(path, architecture, EXACT)
    prompts = np.random.default_rng(0).integers(0, architecture.vocabulary, (3, 40))
    answers = paged(path, prompts, 32)
    for prompt, answer in zip(prompts, answers, strict=True):
        stateful.reset()
        rows = stateful.step([[*prompt, *answer[:-1]]])[0, len(prompt) - 1 :]
        chosen = rows[np.arange(len(answer)), answer]
        # The likeliest at each step, up to what two sums in another order can differ by.
        assert (rows.max(axis=-1) - chosen).max() < 1e-3


def paged(path: Path, prompts: np.ndarray, steps: int) -> list[list[int]]:
    """The greedy answers of GenAI's continuous batching, all prompts at once."""
    codes = [bytes([code]) for code in range(256)]
    # GenAI makes options of the padding, the prefix and the hidden tokens; there must be each.
    begin = SpecialToken("<s>", 1)
    bytes_only = TokenSet(BytePairs([], ()), codes, (begin,), prefix=(1,), pad=0)
    folder = path.parent
    graphs = {"tokenizer": tokenizer_graph(bytes_only, 4096)}
    graphs["detokenizer"] = detokenizer_graph(bytes_only)
    for name, made in graphs.items():
        made.set_rt_info("2026", "openvino_tokenizers_version")
        openvino.serialize(made, folder / f"openvino_{name}.xml")
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.num_kv_blocks = 64
    pipeline = openvino_genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", EXACT)
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens, config.ignore_eos = steps, True
    config.set_eos_token_id(0)
    handles = [
        pipeline.add_request(number, openvino.Tensor(row[np.newaxis].astype(np.int64)), config)
        for number, row in enumerate(prompts)
    ]
    while pipeline.has_non_finished_requests():
        pipeline.step()
    return [list(handle.read_all()[0].generated_ids) for handle in handles]
