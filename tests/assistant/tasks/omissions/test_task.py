"""The omission check as the API and the shell have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from discharge_stays import assert_quoted, sample
from typer.testing import CliRunner

from assistant.draft import Statement
from assistant.settings import Settings
from assistant.tasks.omissions.command import omissions
from assistant.tasks.omissions.draft import OmissionReport
from assistant.tasks.omissions.run import checked
from assistant.tasks.omissions.task import OmissionRequest, Omissions
from assistant.work.task import Refused

STEMI = "患者因胸痛入院。予阿司匹林抗血小板。肌钙蛋白I 0.42ng/mL，峰值28.6ng/mL，降至1.2ng/mL。"


def test_each_omission_has_its_place_and_a_sentence_that_tells_it() -> None:
    encounter = sample("stemi-pci")
    report = checked(encounter, STEMI)
    missing = {o.kind for o in report.omissions if o.importance == "must"}
    assert {"operation", "discharge_drug", "advice", "drug_change"} <= missing
    assert any("肌钙蛋白I" in c.text for c in report.covered)
    assert not any("肌钙蛋白I" in o.suggestion for o in report.omissions)
    order = [o.importance for o in report.omissions]
    assert order == sorted(order)
    quoted = [
        Statement(id=o.id, text=o.suggestion, status="supported", evidence=list(o.evidence))
        for o in report.omissions
    ]
    assert_quoted(encounter, quoted)


def test_what_is_inserted_is_no_omission_any_more() -> None:
    encounter = sample("stemi-pci")
    first = checked(encounter, STEMI)
    again = checked(encounter, STEMI + "".join(o.suggestion for o in first.omissions))
    assert len(first.omissions) > 20
    assert [o.suggestion for o in again.omissions] == []


@pytest.mark.parametrize("change", ["empty", "twice", "no draft"])
def test_what_cannot_be_checked_is_refused(change: str) -> None:
    stay: dict[str, Any] = json.loads(sample("stemi-pci").model_dump_json())
    draft = "" if change == "no draft" else STEMI
    if change == "empty":
        for key in ("notes", "diagnoses", "observations", "medications", "orders", "operations"):
            stay[key] = []
    elif change == "twice":
        stay["notes"][1]["id"] = stay["notes"][0]["id"]
    with pytest.raises(Refused):
        Omissions().accept(
            OmissionRequest.model_validate({"encounter": stay, "draft": draft}), Settings()
        )


def test_its_example_is_a_body_with_an_omission() -> None:
    for body in Omissions.examples.values():
        request = OmissionRequest.model_validate(body)
        report = checked(request.encounter, request.draft)
        assert [o.kind for o in report.omissions] == ["device"]
        assert [c.kind for c in report.covered] == ["operation"]


def test_the_command_prints_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    def perform(kind: str, body: OmissionRequest) -> list[dict[str, Any]]:
        assert kind == "omission_check"
        return [checked(body.encounter, body.draft).model_dump(mode="json")]

    monkeypatch.setattr("assistant.tasks.omissions.command.drafts_of", perform)
    app = typer.Typer()
    app.command()(omissions)
    stay, draft = tmp_path / "stay.json", tmp_path / "draft.txt"
    stay.write_text(sample("stemi-pci").model_dump_json(), "utf-8")
    draft.write_text(STEMI, "utf-8")
    printed = CliRunner().invoke(app, [str(stay), "--draft", str(draft), "--json"])
    assert printed.exit_code == 0
    report = OmissionReport.model_validate_json(printed.stdout)
    assert any(o.kind == "operation" for o in report.omissions)
    shown = CliRunner().invoke(app, [str(stay), "--draft", str(draft)])
    assert shown.exit_code == 0
    assert CliRunner().invoke(app, [str(stay), "--draft", str(tmp_path / "none")]).exit_code == 2
