"""A ``config.json`` → the architecture that it speaks of."""

from __future__ import annotations

from serving.ir import families
from serving.ir.architecture import Architecture, ArchitectureUnknown, Config
from serving.ir.rotary import RotaryUnknown


def describe(config: Config, family: str = "") -> Architecture:
    """The architecture that a ``config.json`` speaks of; ``family`` where it does not tell.

    Raises:
        ArchitectureUnknown: it is not one of ours, or lacks a field.
    """
    # A field that is null says as little as one that is not there.
    config = {key: value for key, value in config.items() if value is not None}
    name = family or families.name_of(config)
    if name not in families.KNOWN:
        if family:
            known = ", ".join(sorted(families.KNOWN))
            raise ArchitectureUnknown(f"The family {family!r} is not known (known: {known}).")
        kind = config.get("model_type") or config.get("architectures") or "no model_type"
        known = ", ".join(sorted(families.KNOWN))
        raise ArchitectureUnknown(
            f"config.json: the architecture {kind!r} is not known (known: {known}). "
            "Other architectures can be exported with optimum-intel: pip install 'bedside[export]'."
        )
    try:
        found = families.KNOWN[name](config, name)
        _check_positive(found)
        # What is wrong with a layer's configuration shows when the layer is asked for.
        found.layer(0), found.layer(found.layer_count - 1)
        if found.heads % found.kv_heads:
            raise ValueError(f"{found.kv_heads} key heads cannot serve {found.heads} heads")
        return found
    except KeyError as error:
        raise ArchitectureUnknown(
            f"the configuration of this {name} model lacks the field {error.args[0]!r}."
        ) from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, RotaryUnknown) as error:
        raise ArchitectureUnknown(f"the configuration of this {name} model: {error}.") from error


def _check_positive(found: Architecture) -> None:
    sizes = {
        "layers": found.layer_count,
        "heads": found.heads,
        "key heads": found.kv_heads,
        "a head": found.head_size,
        "the hidden state": found.hidden_size,
        "the MLP": found.intermediate_size,
        "the vocabulary": found.vocabulary,
        "the context": found.context_length,
    }
    if wrong := [f"{what}: {size}" for what, size in sizes.items() if size <= 0]:
        raise ValueError(f"a size is not positive ({', '.join(wrong)})")
