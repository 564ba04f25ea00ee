"""The assertion status of one term: whether it is so, how sure, when, and of whom."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality


@dataclass
class Assertion:
    """How one term is meant."""

    polarity: Polarity = Polarity.PRESENT
    certainty: Certainty = Certainty.CERTAIN
    temporality: Temporality = Temporality.CURRENT
    experiencer: Experiencer = Experiencer.PATIENT
