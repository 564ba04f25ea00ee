"""What a reviewer has before them, kept on the server, who they are, and parts of the forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import gradio as gr

from assistant.api.context import Actor
from assistant.api.problems import Problem
from assistant.monitoring import reviewers
from assistant.store.errors import StoreError
from assistant.ui.frame import Frame
from assistant.ui.markup import esc
from assistant.ui.session import Session, identify

Found = TypeVar("Found")


@dataclass
class Taken:
    """The draft of a week, or the pair; empty: none was taken."""

    id: str = ""
    week: str = ""


class Refused(Exception):
    """What was asked for cannot be; the message is for the reviewer."""


def reviewer(session: Session, request: gr.Request) -> Actor:
    """The doctor with a name who asks.  Raises `Refused` for others."""
    return asked(lambda: reviewers.named(identify(session, request)))


def asked(work: Callable[[], Found]) -> Found:
    """What ``work`` gives; raises `Refused` with the sentence that the API would answer with."""
    try:
        return work()
    except Problem as error:
        raise Refused(str(error.detail)) from error
    except StoreError as error:
        raise Refused(str(error)) from error


def panel(elem_id: str | None = None) -> gr.HTML:
    """A place of a form for HTML."""
    return gr.HTML(elem_classes=["panel"], elem_id=elem_id, apply_default_css=False, padding=False)


def button(
    frame: Frame, key: str, elem_id: str, look: Literal["secondary", "primary"] = "secondary"
) -> gr.Button:
    """A button of a form; what is sent is the primary one."""
    size: Literal["sm", "lg"] = "lg" if look == "primary" else "sm"
    made = gr.Button(frame.first.text(key), variant=look, size=size, elem_id=elem_id, scale=0)
    frame.labelled(made, key, "value")
    return made


def comment_box(frame: Frame, elem_id: str) -> gr.Textbox:
    """Where a reviewer writes what the form does not ask."""
    made = gr.Textbox(label=frame.first.text("review.comment"), max_length=2_000, elem_id=elem_id)
    frame.labelled(made, "review.comment")
    return made


def notice(text: str, css: str = "warn") -> str:
    """A line under a form."""
    return f'<p class="notice {css}" role="status">{esc(text)}</p>'


def side_by_side(*columns: tuple[str, str]) -> str:
    """Titles and the HTML of texts, beside each other; long ones scroll."""
    told = "".join(
        f'<section class="card" aria-label="{esc(title)}"><h3>{esc(title)}</h3>'
        f'<div class="passage-text" tabindex="0">{html}</div></section>'
        for title, html in columns
    )
    return f'<div class="side-by-side">{told}</div>'
