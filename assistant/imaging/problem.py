"""What is wrong with an image or a region, as a sentence that says what to do."""

from __future__ import annotations


class ImageProblem(ValueError):
    """An image or a region that cannot be used.  Its message holds nothing of the patient."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}({en})")
        self.zh = zh
        self.en = en
