"""How weights are stored: what a user asks for, and what follows for each kind of weight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from serving.ir.scheme import GROUPS, Scheme

Plain = Literal["f32", "f16", "bf16"]
Format = Scheme | Plain
WeightKind = Literal["int4", "int8", "fp16", "bf16", "fp32"]
HeadKind = Literal["int4", "int8", "fp16", "bf16", "fp32", "auto"]
_PLAIN: dict[str, Plain] = {"fp16": "f16", "bf16": "bf16", "fp32": "f32"}


class OptionInvalid(Exception):
    """A choice of precision does not exist; the message lists those that do."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What a user asks for.

    ``group``: neighbours in a row that share a scale (0: the row).  ``int8_share``: the share of
    projection weights that keep eight bits.  ``head`` and ``embedding``: INT8 unless said otherwise
    where ``weights`` is INT4; a head of ``auto`` is INT4 where that was measured to lose next to
    nothing (see `serving.ir.head_choice`), and INT8 else.
    """

    weights: WeightKind = "int4"
    group: int = 128
    symmetric: bool = False
    int8_share: float = 0.0
    head: HeadKind = "int8"
    embedding: WeightKind = "int8"

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise OptionInvalid(f"group {self.group}: choose 32, 64, 128, or 0 for a whole row.")
        if not 0.0 <= self.int8_share <= 1.0:
            raise OptionInvalid(f"int8 share {self.int8_share}: a number from 0 to 1.")
        if self.head != "auto":
            _check(self.head)
        for kind in (self.weights, self.embedding):
            _check(kind)

    def linear(self, columns: int) -> Format:
        """The form of a projection with rows of ``columns`` weights."""
        return self._form(self.weights, columns)

    def experts(self, columns: int) -> Format:
        """The form of experts that are chosen by token.

        OpenVINO multiplies by them in floats, whatever the other projections are multiplied in, and
        there a zero point is a fifth of the time.  Groups half as wide without one take as many
        bits in memory and lie closer to the weights (bench/RESULTS.md).
        """
        if self.weights != "int4" or self.symmetric or self.group // 2 not in GROUPS[1:]:
            return self.linear(columns)
        return replace(self, group=self.group // 2, symmetric=True).narrow(columns)

    def head_form(self, columns: int) -> Format:
        """The form of the head; of one that is still to be chosen, the widest that it may get."""
        kind = "int8" if self.head == "auto" else self.head
        return self._form(self._of(kind), columns)

    @property
    def chooses_head(self) -> bool:
        """Whether the head's form is to be found by measurement."""
        return self.weights == "int4" and self.head == "auto"

    def embedding_form(self, columns: int) -> Format:
        """The form of the embedding."""
        return self._form(self._of(self.embedding), columns)

    @property
    def parts_head(self) -> bool:
        """Whether a head that is the embedding's own table is stored beside it, in its own form."""
        return self.weights == "int4" and self.head != self.embedding

    @property
    def plain_form(self) -> Plain:
        """The form of what is never kept as codes."""
        return _PLAIN.get(self.weights, "f16")

    def narrow(self, columns: int) -> Scheme:
        """The four-bit form: the widest group up to the wanted one that divides the row."""
        fitting = [size for size in GROUPS if size and size <= self.group and columns % size == 0]
        return Scheme(4, max(fitting, default=0), self.symmetric)

    def words(self) -> dict[str, str]:
        """For a manifest and the IR."""
        chosen: dict[str, str] = {"weights": self.weights}
        if self.weights == "int4":
            chosen["group"] = str(self.group) if self.group else "channel"
            chosen["codes"] = "symmetric" if self.symmetric else "asymmetric"
            chosen["head"], chosen["embedding"] = self.head, self.embedding
            if self.int8_share:
                chosen["int8_share"] = str(self.int8_share)
        return chosen

    def narrowed(self, widths: tuple[int, ...]) -> dict[str, str]:
        """For a manifest: the narrowest group, where rows of ``widths`` do not take the wanted."""
        groups = {self.narrow(width).group for width in widths}
        if self.weights != "int4" or groups == {self.group}:
            return {}
        return {"narrowest_group": str(min(groups - {0}, default="channel"))}

    def _of(self, kind: WeightKind) -> WeightKind:
        return kind if self.weights == "int4" else self.weights

    def _form(self, kind: WeightKind, columns: int) -> Format:
        if kind == "int8":
            return Scheme(8)
        return self.narrow(columns) if kind == "int4" else _PLAIN[kind]


def _check(kind: str) -> None:
    if kind not in ("int4", "int8", *_PLAIN):
        raise OptionInvalid(f"{kind!r}: choose int4, int8, fp16, bf16 or fp32.")
