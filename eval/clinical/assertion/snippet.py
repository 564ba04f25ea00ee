"""Labelled snippets: every problem that a text mentions, with what the text says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from eval.errors import InputError
from eval.json_lines import read_objects

Kind = Literal["problem", "allergy", "procedure", "normal"]


class Mention(BaseModel):
    """One mention at ``[start, end)`` in code points; a field that is None is not scored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = Field(min_length=1)
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    kind: Kind = "problem"
    polarity: Literal["present", "absent"] | None = None
    certainty: Literal["certain", "uncertain"] | None = None
    temporality: Literal["current", "past", "hypothetical"] | None = None
    subject: Literal["patient", "family", "other"] | None = None
    ambiguous: bool | None = False


class Snippet(BaseModel):
    """One text with its mentions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    category: str = ""
    split: str = ""
    text: str = Field(min_length=1)
    mentions: list[Mention]

    @model_validator(mode="after")
    def _in_place(self) -> Snippet:
        for mention in self.mentions:
            if self.text[mention.start : mention.end] != mention.text:
                raise ValueError(f"{mention.text!r} does not stand at {mention.start}")
        return self


def read_snippets(path: Path, split: str = "") -> list[Snippet]:
    """The snippets of a file of JSON lines; of one ``split`` only, where that is given.

    Raises:
        InputError: the file cannot be read, a line is no snippet, or none is left.
    """
    snippets = []
    for number, row in read_objects(path):
        try:
            snippet = Snippet.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "snippet"
            raise InputError(path, number, f"{place}: {first['msg']}") from None
        if not split or snippet.split == split:
            snippets.append(snippet)
    if not snippets:
        raise InputError(
            path, 0, "holds no snippet" + (f" of the split {split}." if split else ".")
        )
    return snippets
