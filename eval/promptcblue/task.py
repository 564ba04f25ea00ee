"""What a PromptCBLUE task is: how its answers are read, scored and may be constrained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally

Choices = Sequence[str] | None


class Flaw(StrEnum):
    """What is wrong with an answer's form."""

    EMPTY = "empty"
    UNKNOWN_LABEL = "unknown label"
    NOT_A_CANDIDATE = "not a candidate"
    NO_ITEMS = "no readable line"
    DROPPED_LINE = "dropped line"
    ODD_LINE = "odd line"


class OddLine(Exception):
    """A line on which the official parser ends with an error; the message names its kind only."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an answer says, and the flaws of its form."""

    answer: Any
    flaws: frozenset[Flaw] = frozenset()


class Task(ABC):
    """One task; a module of `eval.promptcblue.tasks` has the task of one kind of target."""

    needs_choices = False
    """Whether ``answer_choices`` must be a list."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def metric(self) -> str:
        """The metric's name, for readers."""

    @abstractmethod
    def parse(self, text: str, choices: Choices) -> Parsed:
        """What ``text`` says.

        Raises:
            OddLine: the official parser would end with an error.
        """

    @abstractmethod
    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """The rows of the metric.  An answer is what `parse` gave, or None: scored as wrong."""

    @abstractmethod
    def grammar(self, sample: Sample) -> str | None:
        """EBNF that holds an answer to the task's form, None where any text may be answered."""


def flaws(*found: tuple[Flaw, bool]) -> frozenset[Flaw]:
    """The flaws whose condition holds."""
    return frozenset(flaw for flaw, holds in found if holds)
