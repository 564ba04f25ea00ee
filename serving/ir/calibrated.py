"""INT4 that looks at activations: NNCF's AWQ and scale estimation, on texts of one's own.

An extra: it needs ``nncf`` (``pip install 'bedside[calibration]'``), memory for the model at
sixteen bits, and minutes to hours.  Without it, `serving.ir.quantize` looks at weights alone.

Sources: Lin et al., AWQ (2023); NNCF's documentation of ``compress_weights``.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from serving.ir.architecture import Architecture
from serving.ir.formats import OptionInvalid, Precision

_LONGEST = 512


class CalibrationUnavailable(Exception):
    """NNCF is not installed; the message says how to install it."""


def require() -> Any:
    """The ``nncf`` module, kept from sending statistics of its use.

    Raises:
        CalibrationUnavailable: it is not installed.
    """
    # NNCF reports its use over the network unless it is told that a machine of tests runs it.
    os.environ.setdefault("NNCF_CI", "1")
    try:
        import nncf
    except ImportError as error:
        raise CalibrationUnavailable(
            "Calibration needs NNCF: pip install 'bedside[calibration]'. Without --calibration, "
            "weights are compressed by themselves."
        ) from error
    return nncf


def compress(
    path: Path,
    folder: Path,
    texts: Sequence[str],
    precision: Precision,
) -> Any:
    """The IR at ``path`` (sixteen-bit weights) as a model with INT4 projections.

    ``folder`` holds the tokenizer; ``precision`` is one that `fitted` gave.

    Raises:
        CalibrationUnavailable: NNCF is not installed.
        OptionInvalid: there is no text.
    """
    import openvino
    import openvino_genai

    nncf = require()
    if not any(text.strip() for text in texts):
        raise OptionInvalid("The calibration file holds no text.")
    tokenizer = openvino_genai.Tokenizer(str(folder))
    samples = [_sample(tokenizer, text) for text in texts if text.strip()]
    mode = nncf.CompressWeightsMode
    return nncf.compress_weights(
        openvino.Core().read_model(path),
        mode=mode.INT4_SYM if precision.symmetric else mode.INT4_ASYM,
        ratio=1.0 - precision.int8_share,
        group_size=precision.group or -1,
        dataset=nncf.Dataset(samples),
        subset_size=min(len(samples), 128),
        awq=True,
        scale_estimation=True,
    )


def fitted(precision: Precision, architecture: Architecture) -> Precision:
    """What NNCF makes of ``precision``: one group size for all projections.

    Raises:
        OptionInvalid: the weights are not INT4, or head or embedding other than INT8.
    """
    if precision.weights != "int4":
        raise OptionInvalid("--calibration is for --weights int4.")
    if (precision.head, precision.embedding) != ("int8", "int8"):
        raise OptionInvalid("With --calibration the head and the embedding are int8.")
    return replace(precision, group=precision.narrow(math.gcd(*architecture.widths)).group)


def words(texts: Sequence[str]) -> dict[str, str]:
    """For a manifest: how, and on texts with which hash; never the texts."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return {"calibration": "awq, scale estimation", "calibration_sha256": digest}


def _sample(tokenizer: Any, text: str) -> dict[str, np.ndarray[Any, Any]]:
    ids = tokenizer.encode(text, add_special_tokens=False).input_ids.data[:, :_LONGEST]
    length = ids.shape[1]
    return {
        "input_ids": np.array(ids),
        "attention_mask": np.ones((1, length), np.int64),
        "position_ids": np.arange(length, dtype=np.int64)[np.newaxis],
        "beam_idx": np.zeros(1, np.int32),
    }
