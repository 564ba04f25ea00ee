"""``bedside hl7 read``: who it is, and what is missing where it is no stay."""

from __future__ import annotations

from pathlib import Path

import hl7_samples as made
from typer.testing import CliRunner, Result

from assistant.interop.hl7.command import app

WBC = "OBX|1|NM|WBC^白细胞计数||13.2|10*9/L|3.5-9.5|H|||F"


def read(folder: Path, *messages: str) -> Result:
    files = []
    for number, text in enumerate(messages):
        files.append(folder / f"{number}.hl7")
        files[-1].write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["read", *map(str, files)], env={"BEDSIDE_HOME": str(folder)})


def test_an_admission_alone_says_whose_it_is(tmp_path: Path) -> None:
    said = read(tmp_path, made.message("ADT^A01"))
    assert said.exit_code == 0
    assert "测试甲 女" in said.output
    assert "呼吸内科" in said.output


def test_a_result_without_its_stay_asks_for_the_admission(tmp_path: Path) -> None:
    result = "\r".join(s for s in made.result(WBC).split("\r") if not s.startswith("PV1"))
    said = read(tmp_path, result)
    assert said.exit_code == 2
    assert "PV1-19" in said.output
