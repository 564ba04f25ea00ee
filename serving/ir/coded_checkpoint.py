"""Checkpoints whose projections are four-bit codes already: GPTQ's and AWQ's.

What others have searched for with data is kept bit by bit: `codes` gives it as OpenVINO stores it,
a row's neighbours side by side.  Read as numbers, a weight is ``scale * (code - zero)``.

Layouts, of a projection of ``columns`` inputs and ``rows`` outputs, in groups of inputs:

- ``qweight`` int32: GPTQ [columns / 8, rows], eight inputs in a word, the first lowest; AWQ
  [columns, rows / 8], eight outputs in a word, in the order 0, 2, 4, 6, 1, 3, 5, 7.
- ``qzeros`` int32 [groups, rows / 8], packed along the outputs as AWQ's weights or in plain order;
  GPTQ's first format keeps one less than it means.
- ``scales`` float16 [groups, rows]; ``g_idx`` int32 [columns] of GPTQ: each input's group.

Sources: Frantar et al., GPTQ (2022); Lin et al., AWQ (2023); the configurations that AutoGPTQ and
AutoAWQ write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.matrix import Codes, Floats, Order, Stored
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

METHODS = ("gptq", "awq")
_PER_WORD = 8
_INTERLEAVED = (0, 2, 4, 6, 1, 3, 5, 7)
_MIDDLE = 8
_CODES, _SCALES = "qweight", "scales"
_PARTS = (_CODES, "qzeros", _SCALES, "g_idx")


@dataclass(frozen=True, slots=True)
class _Method:
    """``less``: what a stored zero point lacks."""

    name: str
    group: int
    less: int


def method_of(config: Mapping[str, Any]) -> str:
    """GPTQ or AWQ, or empty where a configuration speaks of neither."""
    settings = config.get("quantization_config")
    name = str(settings.get("quant_method", "")) if isinstance(settings, Mapping) else ""
    return name if name in METHODS else ""


class CodedCheckpoint(Checkpoint):
    """A folder of safetensors; a projection's tensors are one, its ``weight``."""

    def __init__(self, base: SafetensorsCheckpoint) -> None:
        """Codes of a form that is not known here are refused by `refuse_quantised`."""
        self._base = base
        self.path, self.config, self.metadata = base.path, base.config, base.metadata
        self._method, self._refused = _method(base)
        self._last: tuple[str, Codes] | None = None
        names = base.names()
        self._given = frozenset(names)
        ends = {f".{part}" for part in _PARTS}
        stems = {
            name.removesuffix(f".{_CODES}")
            for name in names
            if name.endswith(f".{_CODES}") and not self._refused
        }
        plain = [name for name in names if not any(name.endswith(end) for end in ends)]
        self._names = sorted([*plain, *(f"{stem}.weight" for stem in stems)])
        self._coded = {f"{stem}.weight": stem for stem in stems}

    def names(self) -> list[str]:
        """See `Checkpoint.names`."""
        return self._names

    def shape(self, name: str) -> tuple[int, ...]:
        """See `Checkpoint.shape`."""
        if name not in self._coded:
            return self._base.shape(name)
        first, second = self._base.shape(f"{self._coded[name]}.{_CODES}")
        if self._method.name == "gptq":
            return second, first * _PER_WORD
        return second * _PER_WORD, first

    def file(self, name: str) -> Path:
        """See `Checkpoint.file`."""
        stored = f"{self._coded[name]}.{_CODES}" if name in self._coded else name
        return self._base.file(stored)

    def kind(self, name: str) -> str:
        """See `Checkpoint.kind`."""
        return self._method.name.upper() if name in self._coded else self._base.kind(name)

    @property
    def bytes(self) -> int:
        """See `Checkpoint.bytes`."""
        return self._base.bytes

    def digests(self) -> dict[str, str]:
        """See `Checkpoint.digests`."""
        return self._base.digests()

    def refuse_quantised(self) -> None:
        """Raise `CheckpointError` where its codes are of a form that is not known here."""
        if self._refused:
            raise CheckpointError(self._refused)

    def refuse_codes(self, name: str) -> None:
        """See `Checkpoint.refuse_codes`."""
        if name not in self._coded:
            self._base.refuse_codes(name)

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """See `Checkpoint.stored`."""
        if name not in self._coded:
            return self._base.stored(name, rows)
        # Read block by block, and unpacked as a whole.
        last = self._last
        if last is None or last[0] != name:
            found = self.codes(name)
            assert found is not None
            self._last = last = name, found
        found = last[1]
        return _numbers(found.of(slice(None) if rows is None else rows))

    def codes(self, name: str) -> Codes | None:
        """The codes of a projection; None of another tensor.

        Raises:
            CheckpointError: a part is missing, of another size, or out of order.
        """
        if name not in self._coded:
            return None
        stem, (rows, columns) = self._coded[name], self.shape(name)
        group = self._method.group or columns
        if columns % group:
            raise CheckpointError(
                f"{self.file(name)}: the tensor {stem}.{_CODES} has {columns} inputs, which do "
                f"not divide into groups of {group}."
            )
        groups = columns // group
        self._check_order(stem, columns, group)
        words = self._part(stem, _CODES)
        zeros = self._part(stem, "qzeros", (groups, rows // _PER_WORD))
        scales = self._base.read(f"{stem}.{_SCALES}")
        if scales.shape != (groups, rows):
            raise self._misshapen(f"{stem}.{_SCALES}", scales.shape, (groups, rows))
        if self._method.name == "gptq":
            # A word's bytes are what OpenVINO wants: two neighbours each, the earlier one low.
            packed = np.ascontiguousarray(words.T).astype("<u4", copy=False).view(np.uint8)
            points = _outputs(zeros)
        else:
            packed = _paired(words)
            points = _outputs(zeros, _INTERLEAVED)
        half = scales.T.astype(np.float16)
        if not np.isfinite(half).all():
            raise CheckpointError(
                f"{self.file(name)}: the tensor {stem}.{_SCALES} has a scale that is infinite, no "
                "number, or too large for float16."
            )
        zero = np.ascontiguousarray(points.T) + np.uint8(self._method.less)
        return Codes(packed, np.ascontiguousarray(half), zero, group)

    def _part(
        self, stem: str, part: str, shape: tuple[int, ...] | None = None
    ) -> NDArray[np.uint32]:
        name = f"{stem}.{part}"
        array = self._base.integers(name)
        if shape is not None and array.shape != shape:
            raise self._misshapen(name, array.shape, shape)
        return array.view(np.uint32)

    def _misshapen(
        self, name: str, found: tuple[int, ...], wanted: tuple[int, ...]
    ) -> CheckpointError:
        return CheckpointError(
            f"{self._base.file(name)}: the tensor {name} has the shape {list(found)}, but its "
            f"codes ask for {list(wanted)}."
        )

    def _check_order(self, stem: str, columns: int, group: int) -> None:
        name = f"{stem}.g_idx"
        if name not in self._given:
            return
        if not np.array_equal(self._base.integers(name), np.arange(columns) // group):
            raise CheckpointError(
                f"{self._base.file(name)}: the tensor {name} puts inputs in another order "
                "(desc_act), which is not supported; use a checkpoint without it."
            )


def _method(base: Checkpoint) -> tuple[_Method, str]:
    """What its codes are, and why they cannot be read, if so."""
    settings = base.config["quantization_config"]
    name, bits = str(settings["quant_method"]), settings.get("bits", settings.get("w_bit"))
    group = int(settings.get("group_size", settings.get("q_group_size", 128)))
    version = str(settings.get("version", "gemm")).lower()
    refused = ""
    if bits != 4 or (name == "awq" and version != "gemm"):
        form = f"{bits} bits" if bits != 4 else f"version {version!r}"
        refused = (
            f"{base.path} is quantised ({name}, {form}), which is not supported; use one of 4 "
            "bits, or the checkpoint that it was made from."
        )
    first = name == "gptq" and settings.get("checkpoint_format", "gptq") == "gptq"
    return _Method(name, max(group, 0), 1 if first else 0), refused


def _outputs(
    words: NDArray[np.uint32], order: tuple[int, ...] = tuple(range(_PER_WORD))
) -> NDArray[np.uint8]:
    """[any, outputs] of eight outputs a word [any, outputs / 8]; ``order``: the place of each
    nibble's."""
    apart = np.empty((*words.shape, _PER_WORD), np.uint8)
    for nibble, place in enumerate(order):
        apart[:, :, place] = (words >> np.uint32(4 * nibble)) & np.uint32(15)
    return apart.reshape(len(words), -1)


def _paired(words: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """AWQ's words [columns, rows / 8] as pairs of neighbours in a row [rows, columns / 2]."""
    columns, count = words.shape
    paired = np.empty((count, _PER_WORD, columns // 2), np.uint8)
    turned = np.ascontiguousarray(words.T)
    for nibble, place in enumerate(_INTERLEAVED):
        plane = ((turned >> np.uint32(4 * nibble)) & np.uint32(15)).astype(np.uint8)
        paired[:, place] = plane[:, 0::2] | plane[:, 1::2] << 4
    return paired.reshape(count * _PER_WORD, -1)


def _numbers(of: Codes) -> Floats:
    rows, half = of.packed.shape
    codes = np.empty((rows, half, 2), np.uint8)
    codes[:, :, 0], codes[:, :, 1] = of.packed & 15, of.packed >> 4
    apart = codes.reshape(rows, -1, of.group).astype(np.float32)
    apart -= of.zero[:, :, np.newaxis]
    apart *= of.scale.astype(np.float32)[:, :, np.newaxis]
    return apart.reshape(rows, 2 * half)
