"""What a chat template can be asked for: its options, and whether it knows tools' results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, TemplateError, meta

from serving.engine import UnsupportedOption

THINKING = "enable_thinking"
"""The option by which a template turns thinking off and on."""

_OF_THE_SERVER = frozenset(
    {"messages", "tools", "documents", "add_generation_prompt", "continue_final_message"}
    | {"bos_token", "eos_token", "unk_token", "pad_token", "sep_token"}
)
_BLOCK = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")


class ChatOptions:
    """The options of one chat template."""

    def __init__(self, template: str) -> None:
        read = _variables(template)
        self._known = read - _OF_THE_SERVER
        self.knows_tool_results = re.search(r"(['\"])(?:tool|observation)\1", template) is not None
        self.knows_tool_calls = "tool_calls" in template
        self.takes_tools = "tools" in read
        # GLM-4 is told to write a bare name and an object; others write tags around a call.
        self.bare_calls = "<tool_call>" not in template

    @property
    def can_think(self) -> bool:
        """Whether thinking can be turned off."""
        return THINKING in self._known

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse options that would have no effect.

        Raises:
            UnsupportedOption: it names the first of them.
        """
        for name in given:
            if name not in self._known:
                known = ", ".join(sorted(self._known)) or "none"
                raise UnsupportedOption(
                    f"chat_template_kwargs: this model's chat template has no option "
                    f"{name[:60]!r}; it has: {known}."
                )


def kwargs_detail(given: Mapping[str, Any]) -> dict[str, str]:
    """What a model card's details say of the options that an engine was opened with."""
    if not given:
        return {}
    return {"chat_template_kwargs": json.dumps(given, ensure_ascii=False, sort_keys=True)}


def _variables(template: str) -> set[str]:
    """Names that a template reads and does not set itself."""
    environment = Environment(  # noqa: S701 - it is only parsed
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    )
    try:
        found = meta.find_undeclared_variables(environment.parse(template))
    except TemplateError:
        # Tags that only some renderers know; a name that is read stands within a block in any case.
        return {word for block in _BLOCK.findall(template) for word in _WORD.findall(block)}
    return found - set(environment.globals)
