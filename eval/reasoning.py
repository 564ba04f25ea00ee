"""A model's reasoning, as it stands in files of answers, is no part of its answer."""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|thoughts|reasoning|reflection|seed:think"
# What opens and closes reasoning: <think>, [THINK], ◁think▷, <|begin_of_thought|>.
_OPEN = re.compile(rf"<(?:{_NAMES})>|\[THINK\]|◁think▷|<\|begin_of_thought\|>", re.IGNORECASE)
_CLOSE = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>", re.IGNORECASE)
# What names the channel of the answer itself.
_FINAL = re.compile(r".*<\|channel\|>final<\|message\|>", re.DOTALL)
_END = re.compile(r"<\|(?:return|end)\|>\s*$")


def without_reasoning(text: str) -> str:
    """``text`` without its reasoning; reasoning that never ends leaves nothing.

    The opening mark may be missing: some chat templates write it into the prompt.
    """
    if "<|channel|>" in text:
        return _END.sub("", _FINAL.sub("", text)) if _FINAL.match(text) else ""
    kept = ""
    while mark := _CLOSE.search(text) or _OPEN.search(text):
        opened = _OPEN.search(text)
        closed = _CLOSE.search(text, opened.end()) if opened else mark
        if opened and mark.start() < opened.start():
            kept, text = "", text[mark.end() :]  # it was open from the start
        elif opened and closed:
            kept, text = kept + text[: opened.start()], text[closed.end() :]
        elif opened:
            return kept + text[: opened.start()]
        else:
            kept, text = "", text[mark.end() :]
    return kept + text
