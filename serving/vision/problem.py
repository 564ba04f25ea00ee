"""What is wrong with an image model, as a sentence that says what to do."""

from __future__ import annotations


class VisionProblem(ValueError):
    """A model folder or an image that cannot be used.  Its message holds nothing of a patient."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}({en})")
        self.zh = zh
        self.en = en


class Cancelled(Exception):
    """The work was stopped by the one who asked for it."""
