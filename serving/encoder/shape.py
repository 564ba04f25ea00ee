"""What ``config.json`` says of a BERT-class encoder and of the head on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from serving.ir.checkpoint import CheckpointError

# RoBERTa-wwm and MacBERT call themselves bert, which they are.
MODEL_TYPE = "bert"
ACTIVATIONS = ("gelu", "gelu_new", "relu")


@dataclass(frozen=True, slots=True)
class SpanShape:
    """The span head: ``labels`` in the order of its scores; ``size`` of query and key.

    ``nested``: whether spans may lie in one another; where they may not, the better score wins.
    ``above``: the score, of 0 to 1, that a span needs: what was best on the dev set.
    """

    labels: tuple[str, ...]
    size: int = 64
    nested: bool = False
    above: float = 0.5

    @property
    def grids(self) -> dict[str, int]:
        """Tables of scores by the prefix of their names, with the labels of each."""
        return {"": len(self.labels)}


ROLES = ("subject", "object")


@dataclass(frozen=True, slots=True)
class RelationShape:
    """The relation head: ``predicates`` in the order of its scores; ``size`` of query and key;
    ``above`` as of `SpanShape`."""

    predicates: tuple[str, ...]
    size: int = 64
    above: float = 0.5

    @property
    def grids(self) -> dict[str, int]:
        """Tables of scores by the prefix of their names, with the labels of each: which spans are
        a subject or an object, which first tokens belong together, which last tokens do."""
        count = len(self.predicates)
        return {"spans.": len(ROLES), "heads.": count, "tails.": count}


HeadShape = SpanShape | RelationShape


@dataclass(frozen=True, slots=True)
class Shape:
    """Widths and counts of the encoder, named as in ``config.json``."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    def config(self) -> dict[str, Any]:
        """For ``config.json``, as other tools read it too."""
        return {"model_type": MODEL_TYPE, "architectures": ["BertModel"], **asdict(self)}


def shape_of(config: Mapping[str, Any], where: str) -> Shape:
    """The encoder's shape; ``where`` names the file in errors.

    Raises:
        CheckpointError: it is no BERT, or a number is missing or cannot be.
    """
    kind = config.get("model_type", MODEL_TYPE)
    if kind != MODEL_TYPE:
        raise CheckpointError(
            f"{where}: the model is of type {kind!r}; only BERT (RoBERTa-wwm and MacBERT are BERT "
            "too) can be an encoder here."
        )
    numbers = {}
    for name in (
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
    ):
        numbers[name] = _count(config, name, where)
    for name, usual in (("max_position_embeddings", 512), ("type_vocab_size", 2)):
        numbers[name] = _count({name: usual, **config}, name, where)
    shape = Shape(
        **numbers,
        layer_norm_eps=float(config.get("layer_norm_eps", 1e-12)),
        hidden_act=str(config.get("hidden_act", "gelu")),
    )
    if shape.hidden_size % shape.num_attention_heads:
        raise CheckpointError(
            f"{where}: hidden_size {shape.hidden_size} is no multiple of num_attention_heads "
            f"{shape.num_attention_heads}."
        )
    if shape.hidden_act not in ACTIVATIONS:
        raise CheckpointError(
            f"{where}: hidden_act {shape.hidden_act!r} is not known ({', '.join(ACTIVATIONS)})."
        )
    return shape


def span_shape_of(config: Mapping[str, Any], where: str) -> SpanShape | None:
    """The span head's shape; None where the model has none.

    Raises:
        CheckpointError: ``span_head`` is not as `head_config` writes it.
    """
    found = config.get("span_head")
    if found is None:
        return None
    try:
        labels = tuple(str(label) for label in found["labels"])
        shape = SpanShape(labels, int(found["size"]), bool(found["nested"]), _above(found))
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{where}: span_head needs labels, size and nested.") from error
    _check(shape, labels, f"{where}: span_head", "labels")
    return shape


def relation_shape_of(config: Mapping[str, Any], where: str) -> RelationShape | None:
    """The relation head's shape; None where the model has none.

    Raises:
        CheckpointError: ``relation_head`` is not as `head_config` writes it.
    """
    found = config.get("relation_head")
    if found is None:
        return None
    try:
        names = tuple(str(name) for name in found["predicates"])
        shape = RelationShape(names, int(found["size"]), _above(found))
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{where}: relation_head needs predicates and size.") from error
    _check(shape, names, f"{where}: relation_head", "predicates")
    return shape


def head_shape_of(config: Mapping[str, Any], where: str) -> HeadShape | None:
    """The shape of the head, if there is one.

    Raises:
        CheckpointError: it is not as `head_config` writes it, or there are two.
    """
    span, relation = span_shape_of(config, where), relation_shape_of(config, where)
    if span is not None and relation is not None:
        raise CheckpointError(f"{where}: span_head and relation_head; a model has one head.")
    return span or relation


def head_config(shape: HeadShape) -> dict[str, Any]:
    """For ``config.json``."""
    both = {"size": shape.size, "above": shape.above}
    if isinstance(shape, RelationShape):
        return {"relation_head": {"predicates": list(shape.predicates), **both}}
    return {"span_head": {"labels": list(shape.labels), "nested": shape.nested, **both}}


def _above(found: Mapping[str, Any]) -> float:
    return float(found.get("above", 0.5))


def _check(shape: HeadShape, names: Sequence[str], where: str, what: str) -> None:
    if not names or len(set(names)) != len(names) or shape.size < 2 or shape.size % 2:
        raise CheckpointError(f"{where} needs {what} that differ and an even size of 2 or more.")
    if not 0 < shape.above < 1:
        raise CheckpointError(f"{where}: above must lie between 0 and 1, not {shape.above}.")


def _count(config: Mapping[str, Any], name: str, where: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CheckpointError(f"{where}: {name} must be a whole number above 0, not {value!r}.")
    return value
