"""Categories of a nodule by its size and density (size_rules.yaml, where their sources stand)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from assistant.tasks.detection.draft import Density

RULES = Path(__file__).parent / "data" / "size_rules.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizeRule(_Part):
    """What is said of a nodule whose size is ``below`` or ``upto``; without a bound, of any."""

    below: float | None = None
    upto: float | None = None
    solid_below: float | None = None
    category: str = ""
    zh: str = ""
    en: str = ""

    def fits(self, mean: float, solid: float) -> bool:
        """Whether a nodule of these sizes (mm, rounded) falls under the rule."""
        return (
            (self.below is None or mean < self.below)
            and (self.upto is None or mean <= self.upto)
            and (self.solid_below is None or solid < self.solid_below)
        )


class SizeRules(_Part):
    """``digits``: to how many the scheme rounds a size before it compares."""

    name: str
    source: str
    digits: int
    rules: dict[str, list[SizeRule]]

    def of(self, density: Density, mean: float, solid: float) -> SizeRule:
        """The first rule that fits."""
        size, core = (_rounded(value, self.digits) for value in (mean, solid))
        return next(rule for rule in self.rules[density] if rule.fits(size, core))


@cache
def size_rules(name: str) -> SizeRules:
    """``lung_rads`` or ``fleischner``."""
    return SizeRules.model_validate(yaml.safe_load(RULES.read_text(encoding="utf-8"))[name])


def _rounded(value: float, digits: int) -> float:
    """Half away from zero, as radiologists round; Python rounds half to even."""
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(str(value)).quantize(step, ROUND_HALF_UP))
