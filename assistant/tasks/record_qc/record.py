"""The encounter as quality control takes it: also one whose times are wrong, since it says so."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from assistant.record.encounter import RESERVED, Encounter


class CheckedEncounter(Encounter):
    """An encounter; a discharge before the admission is a finding, not a refusal."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(n.kind == "structured" or n.id.startswith(RESERVED) for n in self.notes):
            raise ValueError(
                f"病程的 kind 不能是 structured，id 不能以 {RESERVED} 开头，它们留给数据表。"
                f" (Note kind structured and ids beginning with {RESERVED} are reserved.)"
            )
        return self
