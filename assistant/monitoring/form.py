"""The form on which people score a sample of drafts; its items are data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from assistant.store.errors import InvalidArgument

PLACE = "data/pdsqi9.yaml"
LOWEST, HIGHEST = 1, 5


class Item(BaseModel):
    """One question.  ``scale``: 1 to 5, from ``low`` to ``high``; ``yes_no``: 0 (low) or 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    question: str
    low: str
    high: str
    kind: Literal["scale", "yes_no"] = "scale"
    may_not_apply: bool = Field(default=False, description="Whether null is an answer.")

    def allowed(self) -> tuple[int, ...]:
        """The scores that it takes."""
        return (0, 1) if self.kind == "yes_no" else tuple(range(LOWEST, HIGHEST + 1))


class Form(BaseModel):
    """A form as it is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    source: str
    note: str
    items: tuple[Item, ...]

    def check(self, scores: Mapping[str, int | None]) -> dict[str, int | None]:
        """The scores in the form's order.  Raises `InvalidArgument` naming the items at fault."""
        known = {item.id for item in self.items}
        # What the form does not have is not said again: it may be anything.
        wrong = ["表中没有的条目"] if scores.keys() - known else []
        for item in self.items:
            given = scores.get(item.id)
            missing = given is None and not (item.may_not_apply and item.id in scores)
            if missing or (given is not None and given not in item.allowed()):
                wrong.append(item.title)
        if wrong:
            raise InvalidArgument(
                f"这些条目没有评分或评分不在范围内：{'、'.join(wrong)}。(Items are not scored.)"
            )
        return {item.id: scores[item.id] for item in self.items}

    def mean(self, scores: Mapping[str, int | None]) -> float | None:
        """The mean of the items on the scale, 1 to 5; None where none of them has a score."""
        scale = [item.id for item in self.items if item.kind == "scale"]
        given = [float(s) for name in scale if (s := scores.get(name)) is not None]
        return sum(given) / len(given) if given else None


@cache
def quality_form() -> Form:
    """The form of this version."""
    text = (files("assistant.monitoring") / PLACE).read_text("utf-8")
    return Form.model_validate(yaml.safe_load(text))
