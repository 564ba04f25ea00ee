"""Templates, schemas and examples are there, render, and name their own version."""

from __future__ import annotations

import json

import jinja2
import pytest
from jsonschema import Draft202012Validator

import prompts


def test_every_version_of_a_task_renders_with_the_same_values() -> None:
    values = {
        "notes": [{"title": "主诉", "text": "咳嗽{{ 7*7 }}"}],
        "patient": "",
        "present": ["咳嗽"],
        "absent": [],
        "candidates": [
            {
                "name": "肺炎",
                "typical": ["咳嗽"],
                "tests": ["胸片"],
                "apart": [("肺结核", "低热盗汗")],
            }
        ],
        "passages": [],
    }
    for name in prompts.versions("differential_diagnosis"):
        system, user = prompts.template("differential_diagnosis", name).render(**values)
        assert "JSON" in system
        assert "咳嗽{{ 7*7 }}" in user, "text of a record is data, never a template"


def test_a_missing_value_is_an_error_not_a_blank() -> None:
    with pytest.raises(jinja2.UndefinedError):
        prompts.template("chat", "cited").render(question="?")


def test_an_unknown_prompt_says_what_there_is() -> None:
    with pytest.raises(prompts.PromptMissing, match="evidence"):
        prompts.template("differential_diagnosis", "nope")


def test_versions_differ_where_the_content_does() -> None:
    names = prompts.versions("differential_diagnosis")
    found = {prompts.template("differential_diagnosis", n).version for n in names}
    assert len(found) == len(names) == 3


def test_examples_fit_the_schema() -> None:
    validator = Draft202012Validator(prompts.schema("differential_diagnosis"))
    shots = prompts.few_shots("differential_diagnosis")
    assert shots
    for shot in shots:
        validator.validate(json.loads(shot.assistant))
