"""One way in which conditions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.alerts.drug import Drug
from assistant.record.evidence import TextSpan


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which conditions hold.  ``words`` fill the message, ``key`` tells it from other
    ways of the rule, ``drugs`` are those that it is about."""

    words: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[TextSpan, ...] = ()
    key: tuple[str, ...] = ()
    drugs: tuple[Drug, ...] = ()

    def joined(self, other: Way) -> Way:
        """Both at once."""
        return Way(
            {**self.words, **other.words},
            self.evidence + other.evidence,
            self.key + other.key,
            self.drugs + other.drugs,
        )
