"""What ``bedside doctor`` says of processors that this machine does not have."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.commands import processor
from assistant.commands.processor import Check
from serving.hardware.topology import Topology

PLUGIN = {
    "OPTIMIZATION_CAPABILITIES": "BF16 WINOGRAD FP32 FP16 INT8 BIN",
    "INFERENCE_PRECISION_HINT": "bf16",
    "KV_CACHE_PRECISION": "u8",
}
OLD = {"avx2", "avx512f", "avx512_vnni"}
SAPPHIRE = {*OLD, "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8"}


def checks(flags: set[str], environment: dict[str, str] | None = None) -> dict[str, Check]:
    found = processor.inference(flags, PLUGIN, environment or {})
    return {check.name: check for check in found}


def test_the_numbers_that_models_compute_in_are_told() -> None:
    said = checks(SAPPHIRE)["inference"]
    assert "KV cache u8" in said.value
    assert "INT8" in said.value
    assert "WINOGRAD" not in said.value
    assert said.advice == ""


@pytest.mark.parametrize(
    ("flags", "unused"),
    [
        (OLD, set()),
        ({*OLD, "avx512_fp16"}, {"avx512_fp16"}),
        ({*OLD, "avx512_bf16", "avx512_fp16"}, {"avx512_fp16"}),
        ({"avx2"}, set()),
    ],
)
def test_what_the_processor_has_and_nothing_uses_is_named(
    flags: set[str], unused: set[str]
) -> None:
    said = checks(flags)["unused"]
    assert set(said.value.split()) == (unused or {"none"})
    assert bool(said.note) == bool(unused)
    assert said.advice == ""


def test_amx_is_used() -> None:
    assert "amx_bf16" not in checks(SAPPHIRE)["unused"].value


def test_a_limit_in_the_environment_is_a_fault() -> None:
    said = checks(SAPPHIRE, {"ONEDNN_MAX_CPU_ISA": "AVX2", "HOME": "/"})["unused"]
    assert "ONEDNN_MAX_CPU_ISA=AVX2" in said.advice


def test_this_machines_plugin_answers() -> None:
    facts = processor.plugin_facts()
    assert facts.keys() == PLUGIN.keys()
    assert "FP32" in facts["OPTIMIZATION_CAPABILITIES"].split()
    assert facts["KV_CACHE_PRECISION"].isalnum()


def test_one_socket_needs_no_advice() -> None:
    said = processor.layout(Topology(((0,),), 16, 32))
    assert said == Check(
        "sockets", "1 socket, 1 NUMA node, 16 cores, 32 processors for this process"
    )


@pytest.mark.parametrize(
    ("sockets", "bindings"),
    [(((0,), (1,)), ["0", "1"]), (((0, 1), (2, 3)), ["0,1", "2,3"])],
)
def test_several_sockets_get_a_replica_each(sockets: Any, bindings: list[str]) -> None:
    said = processor.layout(Topology(sockets, 64, 64))
    assert f"2 sockets, {sum(map(len, sockets))} NUMA nodes" in said.value
    for number, nodes in enumerate(bindings):
        command = f"--cpunodebind={nodes} --membind={nodes} bedside serve --port {8000 + number}"
        assert command in said.note
    assert said.advice == ""
