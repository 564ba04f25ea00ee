"""Where a doubt is decided: by a cue (考虑肺炎?), or by a word that no cue explains."""

from __future__ import annotations

from knowledge.text.assertion.hedging import hedged
from knowledge.text.assertion.reading import Reading
from knowledge.text.finding import Certainty, Polarity


def doubt(reading: Reading, decided: set[int]) -> None:
    """Doubt what the cues of doubt reach, but not the terms of ``decided``."""
    for cue in reading.of("doubt"):
        for index in reading.reach.of(cue):
            if index not in decided:
                reading.result[index].certainty = Certainty.UNCERTAIN


def hedge(reading: Reading) -> None:
    """Doubt what stands asserted beside a denying word that nothing explains (see `hedging`)."""
    for index in hedged(reading):
        status = reading.result[index]
        if status.polarity is Polarity.PRESENT and index not in reading.answers.present:
            status.certainty = Certainty.UNCERTAIN
