"""The input fields of a case, with the example picker above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.tasks.differential.ui.state import here
from assistant.ui.case_form import CASE_TEXTS, sample_cases
from assistant.ui.frame import Frame
from assistant.ui.session import Session

LINES = {
    "chief_complaint": (2, 3),
    "present_illness": (5, 10),
    "past_history": (2, 6),
    "examination": (3, 8),
    "tests": (3, 8),
    "text": (3, 12),
}


class CaseInputs:
    """Fields by name; `named` turns the values that Gradio passes back into a dictionary."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.fields: dict[str, Any] = {}
        self._lay_out(frame)

    def components(self) -> list[Any]:
        """The fields in the order in which their values come."""
        return list(self.fields.values())

    def named(self, values: Sequence[str | None]) -> dict[str, str]:
        """Values by field name; a field that was never touched is empty."""
        return {name: value or "" for name, value in zip(self.fields, values, strict=True)}

    def on_identity(self, look: Any, inputs: Sequence[Any], shown: Any) -> None:
        """Draw ``shown`` by ``look`` when the form is about another patient or encounter."""
        for event in self._identity_events:
            event(
                look,
                list(inputs),
                shown,
                show_progress="hidden",
                concurrency_limit=None,
                api_visibility="private",
            )

    def _lay_out(self, frame: Frame) -> None:
        t = frame.first.text
        with gr.Row(elem_classes="tight"):
            example = gr.Dropdown(
                _choices(frame.first), value="", label=t("example"), elem_id="example-case", scale=4
            )
            fresh = gr.Button(t("new_patient"), size="sm", elem_id="new-patient", scale=1)
        frame.drawn.append(
            (example, lambda s: gr.update(label=s.text("example"), choices=_choices(s)))
        )
        frame.labelled(fresh, "new_patient", "value")
        self._identity(frame)
        for name in CASE_TEXTS:
            low, high = LINES[name]
            box = gr.Textbox(label=t(name), lines=low, max_lines=high, elem_id=f"case-{name}")
            self.fields[name] = frame.labelled(box, name)
        outputs = self.components()
        filled = example.input(
            self._fill_example,
            [frame.session, example],
            outputs,
            show_progress="hidden",
            api_visibility="private",
        )
        # In the browser: what is typed right after the click must not be cleared by a late answer.
        cleared = fresh.click(
            None, None, [example, *outputs], js=self._clearing(), api_visibility="private"
        )
        cleared.then(
            self._forget_example, frame.session, show_progress="hidden", api_visibility="private"
        )
        ids = (self.fields["patient_id"], self.fields["encounter_id"])
        self._identity_events = [filled.then, cleared.then, *(box.blur for box in ids)]

    def _identity(self, frame: Frame) -> None:
        t = frame.first.text
        with gr.Row(elem_classes="tight"):
            name = gr.Textbox(label=t("patient.name"), max_lines=1, min_width=70)
            sex = gr.Dropdown(_sexes(frame.first), value="", label=t("patient.sex"), min_width=70)
            age = gr.Textbox(
                label=t("patient.age"), placeholder=t("age.hint"), max_lines=1, min_width=70
            )
        with gr.Row(elem_classes="tight"):
            patient = gr.Textbox(label=t("patient.id"), max_lines=1, min_width=100)
            encounter = gr.Textbox(label=t("encounter.id"), max_lines=1, min_width=100)
        frame.drawn.append(
            (sex, lambda s: gr.update(label=s.text("patient.sex"), choices=_sexes(s)))
        )
        frame.drawn.append(
            (age, lambda s: gr.update(label=s.text("patient.age"), placeholder=s.text("age.hint")))
        )
        self.fields["name"] = frame.labelled(name, "patient.name")
        self.fields["sex"] = sex
        self.fields["age"] = age
        self.fields["patient_id"] = frame.labelled(patient, "patient.id")
        self.fields["encounter_id"] = frame.labelled(encounter, "encounter.id")

    def _fill_example(self, session: Session, chosen: str | None) -> list[Any]:
        # Gradio also reports the same choice when the list is only passed through by keyboard.
        state = here(session)
        again, state.example = chosen == state.example, chosen or ""
        sample = next((s for s in sample_cases() if s.id == chosen), None)
        if sample is None or again:
            return [gr.skip() for _ in self.fields]
        patient = sample.data["patient"]
        identity = {
            "name": patient.get("name", ""),
            "sex": patient.get("sex", ""),
            "age": patient.get("age_text", ""),
            "patient_id": patient["id"],
            "encounter_id": sample.data["encounter_id"],
        }
        values = {**{name: sample.data.get(name, "") for name in CASE_TEXTS}, **identity}
        return [values[name] for name in self.fields]

    def _forget_example(self, session: Session) -> None:
        here(session).example = ""

    def _clearing(self) -> str:
        """JavaScript that empties every field and gives the patient ids that nobody has."""
        new = {"patient_id": "`pat-${id}`", "encounter_id": "`enc-${id}`"}
        values = ", ".join(["''", *(new.get(name, "''") for name in self.fields)])
        return (
            "() => { const id = Array.from(crypto.getRandomValues(new Uint8Array(4)), "
            "(n) => n.toString(16).padStart(2, '0')).join(''); "
            f"return [{values}]; }}"
        )


def _choices(session: Session) -> list[tuple[str, str]]:
    english = session.language == "en"
    titles = [(s.title_en if english else s.title_zh, s.id) for s in sample_cases()]
    return [(session.text("example.choose"), ""), *titles]


def _sexes(session: Session) -> list[tuple[str, str]]:
    return [(session.text(f"sex.{value}"), value) for value in ("", "male", "female")]
