"""What a check gives: a kind of the rule set, a sentence, and the places that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assistant.record.evidence import TextSpan
from assistant.tasks.record_qc.chart import Chart
from assistant.tasks.record_qc.rules import Rules


@dataclass(frozen=True, slots=True)
class Found:
    """A finding before it has its severity and its points."""

    kind: str
    message: str
    evidence: list[TextSpan] = field(default_factory=list)


Check = Callable[[Chart, Rules], Iterator[Found]]
