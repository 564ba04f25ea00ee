"""``bedside model convert``, ``inspect``, ``try`` and ``rewrite`` as an engineer uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import warm_process

from assistant.commands import own_texts
from serving.models.store import ModelStore

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "serving"))

import tiny_gguf  # noqa: E402


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def bedside(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return warm_process.bedside(
        os.environ | {"BEDSIDE_HOME": str(home), "COLUMNS": "120"}, *arguments
    )


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """The one line that a command which failed has said."""
    assert run.returncode == 1, run.stderr
    assert run.stdout == ""
    *bars, line = filter(None, map(str.strip, run.stderr.splitlines()))
    assert all("%" in bar for bar in bars), run.stderr
    return line


def test_a_converted_model_has_a_name_and_can_be_looked_at(gguf: Path, tmp_path: Path) -> None:
    run = bedside(
        tmp_path, "model", "convert", gguf, "--name", "ours", "--group", "32", "--licence", "MIT"
    )
    assert run.returncode == 0, run.stderr
    folder = tmp_path / "models" / "ours"
    assert str(folder) in run.stderr
    assert "bedside chat ours" in run.stderr
    assert '[engines.ours]\nmodel = "ours"' in run.stderr
    store = ModelStore(tmp_path)
    assert store.path("ours") == folder
    assert store.verify("ours") == ()
    (line,) = (line for line in store.list() if line.name == "ours")
    assert (line.status, line.licence) == ("ready", "MIT")
    found = bedside(tmp_path, "model", "inspect", folder, "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["provenance"]["group"] == "32"
    again = complaint(bedside(tmp_path, "model", "convert", gguf, "--name", "ours"))
    assert "bedside model remove ours" in again


def test_a_folder_of_ones_own_is_written(gguf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = bedside(tmp_path, "model", "convert", gguf, "--weights", "fp16", "--out", out)
    assert run.returncode == 0, run.stderr
    assert f'model = "{out}"' in run.stderr
    assert "is there already" in complaint(
        bedside(tmp_path, "model", "convert", gguf, "--out", out)
    )


def test_what_cannot_be_converted_is_one_line_and_status_one(gguf: Path, tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"

    def said(*arguments: object) -> str:
        return complaint(bedside(home, "model", "convert", *arguments))

    assert "absent" in said(tmp_path / "absent", "--out", out)
    assert "group 48" in said(gguf, "--group", "48", "--out", out)
    assert "phi" in said(gguf, "--family", "phi", "--out", out)
    assert "tiny.gguf" in said(gguf, "--out", gguf / "model")
    assert "name" in said(gguf, "--name", "../up")
    assert "qwen2.5-coder" in said(gguf, "--name", "qwen2.5-coder-0.5b-instruct")
    assert not out.exists()
    assert bedside(home, "model", "convert", gguf).returncode == 2


def test_a_pickle_leads_to_the_command_that_rewrites_it_brackets_and_all(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    line = complaint(bedside(tmp_path, "model", "inspect", tmp_path))
    assert "pip install 'bedside[train]'" in line
    assert f"bedside model rewrite {tmp_path}" in line


def test_looking_at_a_file_shows_what_each_precision_would_take(gguf: Path, tmp_path: Path) -> None:
    run = bedside(tmp_path, "model", "inspect", gguf)
    assert run.returncode == 0, run.stderr
    for word in ("qwen2", "4,096", "Q5_0", "int4", "int8", "bf16", "fp32", "KV u8"):
        assert word in run.stderr
    found = json.loads(bedside(tmp_path, "model", "inspect", gguf, "--json").stdout)
    assert found["weight_bytes"]["int4"] < found["weight_bytes"]["fp16"]


def test_problems_are_told_and_the_status_says_so(tmp_path: Path, gguf: Path) -> None:
    bedside(tmp_path, "model", "convert", gguf, "--name", "ours")
    (tmp_path / "models" / "ours" / "openvino_detokenizer.xml").unlink()
    run = bedside(tmp_path, "model", "inspect", tmp_path / "models" / "ours")
    assert run.returncode == 1
    assert "openvino_detokenizer.xml is missing" in run.stderr


def test_precisions_are_compared_on_ones_own_text(gguf: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("患者男，62岁，因反复胸闷、气促3年入院。" * 3, encoding="utf-8")
    arguments = ("model", "try", gguf, "--weights", "int8", "--text", text, "--tokens", "60")
    run = bedside(tmp_path, *arguments, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [outcome["name"] for outcome in found["outcomes"]] == ["fp16", "int8"]
    assert found["reference"] == "fp16"
    assert found["tokens"] == 59
    assert found["outcomes"][0]["agreement"] == 1.0
    assert not (tmp_path / "downloads" / "trial").exists()


def test_lines_of_json_are_texts(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('"一"\n\n{"prompt": "二"}\n{"text": "三", "id": 3}\n', encoding="utf-8")
    assert own_texts.read_texts(file) == ["一", "二", "三"]
    plain = tmp_path / "a.txt"
    plain.write_text("一\n\n二\n", encoding="utf-8")
    assert own_texts.read_texts(plain) == ["一\n\n二\n"]


@pytest.mark.parametrize("line", ["3", "{", '{"id": 3}', "[]"])
def test_a_line_that_is_no_text_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(f'"一"\n{line}\n', encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="line 2"):
        own_texts.read_texts(file)


def test_the_samples_are_texts_of_some_length() -> None:
    texts = own_texts.sample_texts()
    assert len(texts) >= 10
    assert min(map(len, texts)) > 100
    assert any("胸骨后" in text for text in texts)
