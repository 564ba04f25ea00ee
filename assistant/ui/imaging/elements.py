"""Elements of an imaging task's page, with labels in the language of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.ui.frame import Frame


@dataclass(frozen=True)
class Elements:
    """Makes them; their ids begin with ``name``."""

    frame: Frame
    name: str

    def button(self, key: str, text: str, *, primary: bool = False) -> gr.Button:
        """A button with its label in the language of the page."""
        made = gr.Button(
            self.frame.first.text(text),
            variant="primary" if primary else "secondary",
            size="lg" if primary else "sm",
            elem_id=f"{self.name}-{key}",
        )
        self.frame.labelled(made, text, "value")
        return made

    def choice(self, key: str, text: str, choices: Sequence[Any] = (), **more: Any) -> gr.Dropdown:
        """A list to choose from."""
        made = gr.Dropdown(list(choices), elem_id=f"{self.name}-{key}", **more)
        return self.named(made, text)  # type: ignore[no-any-return]

    def named(self, part: Any, text: str) -> Any:
        """A part with its label in the language of the page."""
        part.label = self.frame.first.text(text)
        return self.frame.labelled(part, text)
