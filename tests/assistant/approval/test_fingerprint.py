"""What tells one model as it runs from another."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from approval_sample import MODEL, WEIGHTS, write_model

import prompts
from assistant.approval import fingerprint
from assistant.approval.fingerprint import Fingerprint, prompts_in_use, prompts_of
from assistant.approval.model_files import (
    NotIdentified,
    folder_digest,
    folder_signature,
    model_folder,
)
from assistant.engine_settings import EngineSettings
from assistant.settings import PanelMember, Settings
from serving.hardware import cpu

DETAILS = {"engine": "openvino", **WEIGHTS}


def run(details: dict[str, str] = DETAILS, **settings: str) -> Fingerprint:
    known = {"files_sha256": "f" * 64, "processor": "avx512_vnni"}
    return fingerprint.of_run({"name": "m", "details": details, "settings": known | settings})


@pytest.mark.parametrize(
    "changes",
    [
        {"files_sha256": "e" * 64},
        {"precision": "f32"},
        {"kv_cache": "bf16"},
        {"processor": "amx_bf16 amx_tile"},
        {"context_length": "2048"},
        {"chat_template_kwargs": '{"enable_thinking": true}'},
        {"max_num_batched_tokens": "64"},
    ],
)
def test_weights_numbers_and_options_make_another(changes: dict[str, str]) -> None:
    assert run().same_model(run())
    assert not run().same_model(run(**changes))
    (said,) = run(**changes).differences(run())
    assert ", not " in said


def test_auto_is_what_it_stands_for() -> None:
    assert run(kv_cache="auto").same_model(run(kv_cache="u8"))
    assert run(precision="auto").same_model(run(precision="int8"))
    assert run(processor="amx_bf16").same_model(run(processor="amx_bf16", precision="bf16"))


def test_another_name_is_the_same_model() -> None:
    other = fingerprint.of_run(
        {"name": "n", "details": DETAILS, "settings": {"files_sha256": "f" * 64}}
    )
    assert other.same_model(run(processor=""))


def test_a_low_bit_model_is_told_by_its_package() -> None:
    details = {"engine": "bigdl", "low_bit": "sym_int4", "package": "bigdl 2.4", "kernel": "avx2"}
    assert run(details).precision == "sym_int4 bigdl"
    assert not run(details).same_model(run(details | {"package": "ipex-llm 2.1"}))


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"details": {"engine": "remote"}, "settings": {"url": "http://x/v1", "weights": "v3"}},
        {"details": {"engine": "echo"}, "settings": {}},
        {"details": None, "settings": {"files_sha256": "f"}},
    ],
)
def test_a_run_without_weights_of_its_own_is_refused(model: dict[str, Any]) -> None:
    with pytest.raises(NotIdentified):
        fingerprint.of_run(model)


def test_a_low_bit_model_runs_in_the_numbers_that_were_chosen(tmp_path: Path) -> None:
    chosen = [
        EngineSettings(kind="bigdl", model=str(tmp_path), low_bit=low_bit)
        for low_bit in ("sym_int4", "asym_int4", "sym_int8")
    ]
    runs = [fingerprint.of_engine(one, tmp_path, "f" * 64) for one in chosen]
    assert [one.precision for one in runs] == [
        "sym_int4 bigdl",
        "asym_int4 bigdl",
        "sym_int8 bigdl",
    ]
    details = {"engine": "bigdl", "low_bit": "asym_int4", "package": "bigdl 2.4"}
    assert not runs[0].same_model(run(details))
    assert runs[1].same_model(run(details))


def test_an_option_that_an_old_run_does_not_name_is_what_the_engine_does_by_itself() -> None:
    details = DETAILS | {"chat_template_kwargs": '{"enable_thinking": true}'}
    assert run().same_model(run(context_length="0", default_max_tokens="0", device="CPU"))
    assert run(details).same_model(run(chat_template_kwargs='{"enable_thinking": true}'))


def test_a_configured_engine_is_what_a_run_of_it_says(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    chosen = EngineSettings(model=MODEL)
    assert model_folder(chosen, tmp_path) == folder
    runs = fingerprint.of_engine(chosen, folder, folder_digest(folder))
    measured = run(files_sha256=folder_digest(folder), processor=" ".join(cpu.flags()))
    assert runs.differences(measured) == []


@pytest.mark.parametrize("kind", ["remote", "echo"])
def test_an_engine_without_weights_here_is_refused(tmp_path: Path, kind: Any) -> None:
    with pytest.raises(NotIdentified, match="no weights on this machine"):
        model_folder(EngineSettings(kind=kind), tmp_path)
    with pytest.raises(NotIdentified, match="absent"):
        model_folder(EngineSettings(model="absent"), tmp_path)


def test_a_file_that_changes_changes_signature_and_hash(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    before = folder_signature(folder), folder_digest(folder)
    copied = shutil.copytree(folder, tmp_path / "copy")
    assert folder_digest(copied) == before[1]
    (folder / "openvino_model.bin").write_text("other weights", "utf-8")
    assert folder_signature(folder) != before[0]
    assert folder_digest(folder) != before[1]
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    assert folder_digest(folder) != folder_digest(copied)


def settings(tmp_path: Path, **changes: Any) -> Settings:
    engines = {name: EngineSettings(kind="echo") for name in ("ward", "other")}
    panel = [PanelMember(name="甲", engine="ward"), PanelMember(name="乙", engine="other")]
    given = {"engines": engines, "panel": panel, "default_engine": "ward"} | changes
    return Settings(home=tmp_path, **given)


def test_the_prompts_of_an_engine_are_those_that_the_chains_give_it(tmp_path: Path) -> None:
    known = settings(tmp_path)
    assert list(prompts_in_use(known, "ward")) == [
        "chat/cited",
        "differential_diagnosis/evidence",
        "discharge_record/guidance",
        "discharge_record/section",
        "record_qa/plan",
        "record_qa/spans",
    ]
    assert list(prompts_in_use(known, "other")) == ["differential_diagnosis/evidence"]
    seats = [PanelMember(name="甲", engine="ward", prompt="open")]
    other = prompts_in_use(settings(tmp_path, panel=seats), "ward")
    assert "differential_diagnosis/open" in other
    assert other != prompts_in_use(known, "ward")


def test_a_draft_needs_the_prompts_of_its_own_task(tmp_path: Path) -> None:
    in_use = prompts_in_use(settings(tmp_path), "ward")
    version = prompts.template("discharge_record", "section").version
    assert list(prompts_of(version, in_use)) == [
        "discharge_record/guidance",
        "discharge_record/section",
    ]
    assert prompts_of("differential_diagnosis/open@12345678", in_use) == {}


def test_a_prompt_is_told_by_template_examples_and_schema() -> None:
    names = [
        ("differential_diagnosis", name) for name in prompts.versions("differential_diagnosis")
    ]
    assert len({prompts.fingerprint(*name) for name in names}) == len(names)
    with pytest.raises(prompts.PromptMissing):
        prompts.fingerprint("chat", "none")
