"""A model's thoughts, kept apart from its answer.

Models that think first write their thoughts before the answer, as a rule between tags.  Many chat
templates write the opening tag themselves, so the answer's text begins inside the thoughts and has
the closing tag only.  Nothing a model merely thought may be taken for what it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

from serving.engine import Chunk, EngineError, FinishReason, TokenLogprob

_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
)
TAGS = tuple(tag for pair in _PAIRS for tag in pair)
"""What thoughts stand between."""

_CLOSING_OF = {opening.lower(): closing.lower() for opening, closing in _PAIRS}
_CLOSING = frozenset(_CLOSING_OF.values())
_ALL = [*_CLOSING_OF, *_CLOSING]
_FIRST = frozenset(tag[0] for tag in _ALL)
_LONGEST = max(map(len, _ALL))
_TAG = re.compile("|".join(map(re.escape, sorted(_ALL, key=len, reverse=True))), re.IGNORECASE)
_MOST_HABITS = 64

Start = Literal["answer", "thought", "unknown", "likely", "constrained"]
"""What a model's text begins with.  ``unknown``: nobody can tell before a closing tag or the end;
``likely``: the same, but a text that was cut before it could be told is a thought.
``constrained``: the answer is held to a form from its first token, so there are no thoughts."""


class ThoughtsMixedIn(EngineError):
    """A thought showed itself as one only after it had been passed on as the answer."""

    def __init__(self) -> None:
        super().__init__(
            "The model did not mark where its thoughts begin, and part of them came out as the "
            "answer; send the request again."
        )


def has_tags(text: str) -> bool:
    """Whether a chat template, or any text, mentions thoughts."""
    return _TAG.search(text) is not None


def opened_by(prompt: str) -> Start | None:
    """How the text behind ``prompt`` begins, where the prompt ends in a tag."""
    tags = list(_TAG.finditer(prompt[-_LONGEST - 16 :].rstrip()))
    if not tags or tags[-1].end() != len(tags[-1].string):
        return None
    return "answer" if tags[-1].group().lower() in _CLOSING else "thought"


def closing_of_open_thought(prompt: str, text: str) -> str:
    """The tag that would close the thought which ``text``, written behind ``prompt``, is in; ""
    where it is in none.
    """
    opened = ""
    tail = prompt[-_LONGEST - 16 :].rstrip()
    tags = list(_TAG.finditer(tail))
    if tags and tags[-1].end() == len(tail):
        opened = _CLOSING_OF.get(tags[-1].group().lower(), "")
    for tag in _TAG.finditer(text):
        word = tag.group().lower()
        if not opened:
            opened = _CLOSING_OF.get(word, "")
        elif word == opened:
            opened = ""
    return next((close for _, close in _PAIRS if close.lower() == opened), "") if opened else ""


def begins(text: str) -> Start:
    """How a text that is known as a whole begins."""
    tag = _TAG.search(text)
    return "thought" if tag is not None and tag.group().lower() in _CLOSING else "answer"


class Separator:
    """Text as it comes → the answer and the thoughts in it."""

    def __init__(self, start: Start = "unknown", *, form: bool = False) -> None:
        """``form``: the answer should be JSON, which a text that begins like it is then taken for
        as a whole, whatever stands in its strings."""
        self._start = start
        self._plain = start == "constrained"
        self._form = form
        self._place: Literal["answer", "thought", "undecided"] = (
            "thought" if start == "thought" else "undecided"
        )
        if start in ("answer", "constrained"):
            self._place = "answer"
        self._closing = ""
        self._held = ""
        self._searched = 0
        # Blanks around a tag belong to neither side; those before any tag are the answer's own.
        self._trim = start == "thought"
        self._answered = False
        self.unopened: bool | None = None
        """Whether thoughts were closed that no tag had opened; None: it could not be told."""

    @property
    def place(self) -> Literal["answer", "thought", "undecided"]:
        """Where the text is now."""
        return self._place

    def push(self, text: str) -> tuple[str, str]:
        """What ``text``, and what was held back, adds to the answer and to the thoughts.

        Raises:
            ThoughtsMixedIn: see there.
        """
        if self._plain:
            return text, ""
        self._held += text
        if self._form and not self._answered and self._begins_as_json():
            self._plain, self._place = True, "answer"
            return self._rest(), ""
        parts = {"answer": "", "thought": ""}
        while (tag := _TAG.search(self._held, self._searched)) is not None:
            before, self._held = self._held[: tag.start()], self._held[tag.end() :]
            self._searched = 0
            self._turn(tag.group().lower(), before, parts)
        if self._place == "undecided":
            self._searched = max(0, len(self._held) - _LONGEST)
        else:
            size = len(self._held) - _partial_tag(self._held)
            if self._place == "answer" and not self._answered and not self._held[:size].strip():
                # A thought may follow, and then these blanks are no part of the answer.
                size = 0
            ready, self._held = self._held[:size], self._held[size:]
            self._add(self._place, ready, parts)
        return parts["answer"], parts["thought"]

    def marked(self) -> tuple[str, str]:
        """The server itself keeps the thoughts apart, so what it calls text is the answer."""
        self.unopened = False
        if self._place == "undecided" or (self._place == "thought" and not self._closing):
            self._place = "answer"
            return self._rest(), ""
        return "", ""

    def finish(self, reason: FinishReason) -> tuple[str, str]:
        """What was held back, now that the text has ended."""
        if self._place == "undecided":
            whole = reason == "stop"
            if whole:
                self.unopened = False
            self._place = "answer" if whole or self._start != "likely" else "thought"
        parts = {"answer": "", "thought": ""}
        self._add(self._place, self._rest(), parts)
        return parts["answer"], parts["thought"]

    def _turn(self, tag: str, before: str, parts: dict[str, str]) -> None:
        """Pass on what stands before a tag and go over to what follows it."""
        if tag in _CLOSING_OF:
            if self._place == "undecided":
                self.unopened = False
            if self._place == "thought" or self._answered or before.strip():
                self._add("thought" if self._place == "thought" else "answer", before, parts)
            if self._place != "thought":
                self._place, self._closing, self._trim = "thought", _CLOSING_OF[tag], True
            return
        if self._place == "thought" and self._closing not in ("", tag):
            # The end of another kind of thought is a word in this one.
            self._add("thought", before, parts)
            return
        if self._place == "answer":
            self._add("answer", before, parts)
            if self._answered:
                self.unopened = True
                raise ThoughtsMixedIn
            return
        if not self._closing:
            self.unopened = True
        self._add("thought", before, parts)
        self._place, self._closing, self._trim = "answer", "", True

    def _add(self, place: str, text: str, parts: dict[str, str]) -> None:
        if self._trim:
            text = text.lstrip()
        if text.strip():
            self._trim = False
            self._answered = self._answered or place == "answer"
        parts[place] += text

    def _rest(self) -> str:
        text, self._held = self._held, ""
        return text

    def _begins_as_json(self) -> bool:
        begin = self._held.lstrip()
        return begin[:1] in ("{", "[") and not any(
            tag.startswith(begin[: len(tag)].lower()) for tag in _ALL
        )


class Habit:
    """What an engine has learned of how its model's texts begin, by what it was asked for."""

    def __init__(self, first: Start = "unknown") -> None:
        """``first``: what is supposed as long as nothing was learned."""
        self._first = first
        self._known: dict[str, Start] = {}

    def separated(
        self,
        stream: AsyncGenerator[Chunk],
        asked: Mapping[str, Any],
        prompt: str = "",
        *,
        form: bool = False,
    ) -> AsyncGenerator[Chunk]:
        """`separated` for the next answer of a chat.

        ``asked``: the chat template's options; ``prompt``: what the model reads, where it is known;
        ``form``: see `Separator`.
        """
        ending = opened_by(prompt)
        key = json.dumps([asked, ending], ensure_ascii=False, sort_keys=True, default=str)
        start = "thought" if ending == "thought" else self._known.get(key, ending or self._first)
        return separated(stream, Separator(start, form=form), lambda known: self._learn(key, known))

    def _learn(self, key: str, separator: Separator) -> None:
        if separator.unopened is None:
            # The model was supposed to begin with a thought and never closed it: find out anew.
            if separator.place == "thought":
                self._known.pop(key, None)
            return
        if len(self._known) >= _MOST_HABITS:
            self._known.clear()
        supposed = self._known.get(key, self._first)
        if not separator.unopened:
            self._known[key] = "answer"
        elif supposed in ("likely", "thought"):
            self._known[key] = "thought"
        else:
            # Once may be chance: an answer may speak of tags.
            self._known[key] = "likely"


async def separated(
    stream: AsyncGenerator[Chunk],
    separator: Separator,
    learn: Callable[[Separator], None] = lambda separator: None,
) -> AsyncGenerator[Chunk]:
    """The chunks of ``stream`` with thoughts in ``reasoning`` and the rest in ``text``.

    ``learn`` is told when something is known.  Log probabilities are the answer's alone, since
    they spell it.
    """
    spelled: tuple[TokenLogprob, ...] = ()
    async with aclosing(stream):
        async for chunk in stream:
            parts = [separator.marked()] if chunk.reasoning else []
            try:
                parts.append(separator.push(chunk.text))
            except ThoughtsMixedIn:
                learn(separator)
                raise
            if chunk.finish_reason is not None:
                parts.append(separator.finish(chunk.finish_reason))
                if chunk.finish_reason == "stop" or separator.unopened is not None:
                    learn(separator)
            text = "".join(answer for answer, _ in parts)
            thought = chunk.reasoning + "".join(thought for _, thought in parts)
            spelled += chunk.logprobs
            if separator.place == "thought" and not text:
                spelled = ()
            ready: tuple[TokenLogprob, ...] = ()
            if separator.place != "undecided":
                ready, spelled = spelled, ()
            yield replace(chunk, text=text, reasoning=thought, logprobs=ready)


def separate(text: str) -> tuple[str, str]:
    """A whole text that some model wrote: its answer and its thoughts."""
    at = [tag for tag in _TAG.finditer(text) if tag.group().lower() in _CLOSING]
    separator = Separator("unknown")
    try:
        answer, thought = separator.push(text)
    except ThoughtsMixedIn:
        # All of the text is there, so what stands before the last closing tag is left out.
        return text[at[-1].end() :].lstrip(), _TAG.sub("", text[: at[-1].start()])
    more, also = separator.finish("stop")
    return answer + more, thought + also


def _partial_tag(text: str) -> int:
    """Length of the longest end of ``text`` that may become a tag."""
    for size in range(min(_LONGEST - 1, len(text)), 0, -1):
        end = text[-size:].lower()
        if end[0] in _FIRST and any(tag.startswith(end) for tag in _ALL):
            return size
    return 0
