"""Which samples ask about one text: they rise and fall together, and so are resampled together.

A sample may name its document.  Where it does not, two of one task are taken for one document when
they share what stands in a dialogue first, or the longest line that is no part of the wording:
lines that end in a colon or a question, explain the task, or list its choices are passed over.  A
text too short to be told by its line is a document of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eval.promptcblue.sample import Sample

_LEAST_SAID = 15
_LEAST_LINE = 20
_SPEAKER = re.compile(r"(?:患者|病人|家属|医生)[:：]")
_WORDING = re.compile(r"\s*(?:选项|候选|答|可选|[^：:]{0,4}说明)[:：]|.*[：:？?]\s*$")


def document_of(sample: Sample) -> str:
    """What the sample is about; its own id where that is nothing that another could share."""
    if sample.document:
        return sample.document
    lines = [line.strip() for line in sample.input.splitlines()]
    said = [line for line in lines if _SPEAKER.match(line)]
    if said:
        return next((line for line in said if len(line) >= _LEAST_SAID), sample.sample_id)
    told = [line for line in lines if len(line) >= _LEAST_LINE and not _is_wording(line, sample)]
    return max(told, key=len, default=sample.sample_id)


def documents(samples: Sequence[Sample]) -> npt.NDArray[np.int64]:
    """The number of each sample's document, counted from 0 in the order of the samples."""
    numbers: dict[str, int] = {}
    named = (document_of(sample) for sample in samples)
    return np.array([numbers.setdefault(name, len(numbers)) for name in named], np.int64)


def _is_wording(line: str, sample: Sample) -> bool:
    if _WORDING.match(line):
        return True
    return sum(choice in line for choice in sample.answer_choices or ()) > 1
