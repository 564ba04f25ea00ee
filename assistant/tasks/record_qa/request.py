"""A question as it is posted: with its record, or within a conversation that has it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.record.encounter import Encounter
from assistant.record.fields import Identifier
from assistant.tasks.record_qa.draft import Focus, Proposal

MOST_CHARACTERS = 50_000
"""More than this is no question; between a question's length and this the answer says so."""


class RecordQuestion(BaseModel):
    """A question over one encounter.

    Give ``encounter``, or the ``conversation_id`` with the ids of its patient and encounter.
    ``confirm`` agrees to the `Proposal` of an answer; there is then no question.
    ``after`` is the id of the answer that a follow-up goes on from (two tabs may be at different
    ones); without it, the newest.  ``focus`` is that of an answer, where no conversation keeps it.
    """

    model_config = ConfigDict(extra="forbid")

    question: str = Field(default="", max_length=MOST_CHARACTERS)
    encounter: Encounter | None = None
    conversation_id: str = Field(default="", max_length=64)
    patient_id: Identifier | None = None
    encounter_id: Identifier | None = None
    after: str = Field(default="", max_length=64)
    focus: Focus | None = None
    confirm: Proposal | None = None
    thinking: bool = Field(
        default=False, description="Whether a model that can think before it answers does."
    )
    reasoning_budget: int | None = Field(
        default=None, ge=1, le=32_000, description="The most tokens of thoughts; local models only."
    )
    use_model: bool = Field(
        default=True, description="Whether a model may answer what no route takes."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.encounter is None and not (
            self.conversation_id and self.patient_id and self.encounter_id
        ):
            raise ValueError(
                "请给出 encounter，或 conversation_id 与 patient_id、encounter_id。"
                "(Give encounter, or conversation_id with patient_id and encounter_id.)"
            )
        if self.encounter is not None:
            for given, own in (
                (self.patient_id, self.encounter.patient.id),
                (self.encounter_id, self.encounter.id),
            ):
                if given is not None and given != own:
                    raise ValueError(
                        "patient_id/encounter_id 与 encounter 不一致。(The ids do not agree.)"
                    )
        return self
