"""The page 鉴别诊断: the case on the left, the panel's answers side by side on the right."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from assistant.chains.ranking_member import MEMBER as BASELINE
from assistant.draft import DifferentialDraft
from assistant.store import Context
from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.case_form import (
    CASE_TEXTS,
    IDENTITY,
    FormError,
    new_identity,
    read_case,
    sample_cases,
)
from assistant.ui.frame import Frame, patient_banner
from assistant.ui.markup import esc, filled_form
from assistant.ui.member_card import RECORD, critical_html, member_card
from assistant.ui.record_view import record_html
from assistant.ui.session import CaseWork, Session, identify

LINES = {"chief_complaint": 2, "present_illness": 6, "past_history": 3, "examination": 4, "tests": 3}


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    fields: dict[str, Any] = {}
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=300, elem_classes="left"):
            frame.panel(lambda s: patient_banner(s.case.context, _who(s.case), s.text))
            with gr.Tabs(elem_classes="inner") as tabs:
                with frame.labelled(gr.Tab(t("case.edit"), id="edit"), "case.edit"):
                    example = _example_picker(frame)
                    _identity_fields(frame, fields)
                    _text_fields(frame, fields)
                with (
                    frame.labelled(gr.Tab(t("case.record"), id="record"), "case.record"),
                    gr.Column(elem_classes="scrolls"),
                ):
                    record = frame.panel(_record)
            with gr.Row(elem_classes="run"):
                run = frame.labelled(
                    gr.Button(t("run"), variant="primary", elem_id="run-case"), "run", "value"
                )
                halt = frame.labelled(
                    gr.Button(t("stop"), interactive=False, elem_id="stop-case"), "stop", "value"
                )
        with gr.Column(scale=9, min_width=520, elem_classes="right"):
            status = frame.panel(_status)
            critical = frame.panel(lambda s: critical_html(list(s.case.shown.values()), s.text))
            names = member_names(frame)
            with gr.Row(elem_classes="members", equal_height=False):
                cards = {name: frame.panel(_drawer(frame, name), css="cell") for name in names}
            filled = frame.panel(_filled, elem_id="fill-in")
    banner = frame.drawn[0][0] if False else None
    del banner
    _connect(frame, fields, example, tabs, run, halt, [status, critical, *cards.values(), filled], record)
    for name, card in cards.items():
        _connect_card(frame, name, card, filled)
    _connect_filled(frame, filled)
