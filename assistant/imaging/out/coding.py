"""Codes as DICOM has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.imaging.out.structure import Code

if TYPE_CHECKING:
    from pydicom import Dataset

FAMILY = Code("123110", "DCM", "Artificial Intelligence")
"""The family of algorithms that ours are said to be of."""


def concept(code: Code) -> Dataset:
    """A coded concept; a meaning has at most 64 characters."""
    from highdicom.sr import CodedConcept

    made: Dataset = CodedConcept(code.value, code.scheme, code.meaning[:64])
    return made
