"""A table of cases that a model is asked of."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from assistant.record.fields import Identifier, ShortText

DEFAULT_STUDY = "cohort"
Encoded = Annotated[str, StringConstraints(min_length=1)]


def decoded(text: str) -> bytes:
    """The bytes of base64.  Raises `ValueError` with what to do."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError(
            "table 不是 base64：请把文件内容按 base64 编码后放入。(The table is no base64.)"
        ) from None


class CohortRoles(BaseModel):
    """Which column is what; what is left empty is guessed where no outcome is named at all."""

    model_config = ConfigDict(extra="forbid")

    outcome: ShortText = Field("", description="Column of the class to be predicted.")
    time: ShortText = Field("", description="Column of the time to the event.")
    event: ShortText = Field("", description="Column of the event: 1 seen, 0 not.")
    id: ShortText = Field("", description="Column that names a case.")
    site: ShortText = Field("", description="Column of the scanner or hospital, for ComBat.")


class CohortToModel(BaseModel):
    """A CSV or XLSX file, a case a line.

    A cohort is of no single patient: the job is read with the study's id as ``X-Patient-Id``.
    """

    model_config = ConfigDict(extra="forbid")

    study_id: Identifier = DEFAULT_STUDY
    table: Encoded = Field(description="The file, as base64.")
    roles: CohortRoles = CohortRoles()
    settings: dict[str, object] = Field(
        default_factory=dict, description="As in a settings file of `bedside radiomics cohort`."
    )

    @field_validator("table")
    @classmethod
    def _is_base64(cls, value: str) -> str:
        decoded(value)
        return value
