"""``bedside dicom``: what an administrator sees and writes."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import numpy as np
import pytest
from dicom_peer import send, study
from imaging_samples import ball, segmentation, series, square, structure_set, written
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import read_image, read_region
from assistant.interop.dicom.command import app
from assistant.interop.dicom.routing import BadRules

from .conftest import Desk


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "ct"
    folder.mkdir()
    for number, one in enumerate(series(PatientID="pat-1")):
        (folder / f"{number}.dcm").write_bytes(written(one))
    (tmp_path / "seg.dcm").write_bytes(written(segmentation(ball())))
    return folder


@pytest.mark.parametrize("form", ["seg", "rtstruct", "nifti"])
def test_a_region_is_written_in_another_form(scans: Path, form: str) -> None:
    name = {"seg": "out.dcm", "rtstruct": "out.dcm", "nifti": "out.nii.gz"}[form]
    out = scans.parent / name
    mask = str(scans.parent / "seg.dcm")
    asked = ["write", str(scans), "--mask", mask, "--as", form, "--out", str(out)]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    volume = read_image(scans)
    chosen = "" if form == "nifti" else "lesion"
    assert np.array_equal(read_region(out, volume, chosen).mask, ball())


def test_what_cannot_be_written_is_told_of(scans: Path) -> None:
    mask, out = str(scans.parent / "seg.dcm"), str(scans.parent / "o.dcm")
    for arguments, said in (
        ([str(scans), "--mask", mask, "--out", out, "--as", "docx"], "--as 可选"),
        ([str(scans / "gone"), "--mask", mask, "--out", out], "没有这个文件"),
        ([str(scans), "--mask", mask, "--out", str(scans / "no" / "o.dcm")], "无法写入"),
        ([str(scans), "--mask", mask, "--out", out, "--roi", "x"], "区域名"),
    ):
        told = CliRunner().invoke(app, ["write", *arguments])
        assert said in str(told.exception)


async def test_studies_are_listed_without_the_patient(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = study(StudyDescription="Zhang San", SeriesDescription="张三 chest")
    slices = [one for one in sent if one.get("InstanceNumber") != 3]
    await asyncio.to_thread(send, desk.port, slices)
    await asyncio.to_thread(send, desk.port, study(PatientID="张三")[:1])
    await desk.until("incomplete")
    env = {"BEDSIDE_HOME": str(desk.settings.home)}
    told = await asyncio.to_thread(CliRunner().invoke, app, ["studies", "--json"], env=env)
    (one,) = json.loads(told.stdout)
    assert one["state"] == "incomplete"
    assert "缺 1 幅" in one["note"]
    assert {"modality": "CT", "instances": 7} in one["series"]
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["studies"], env=env)
    for text in (told.output, shown.output, caplog.text):
        for secret in ("Zhang", "张三", "pat-1"):
            assert secret not in text
    assert "lacks instances" in caplog.text
    assert "C010" in caplog.text


def test_rules_are_shown_and_checked(tmp_path: Path) -> None:
    env = {"BEDSIDE_HOME": str(tmp_path), "COLUMNS": "200"}
    shown = CliRunner().invoke(app, ["rules"], env=env)
    assert shown.exit_code == 0
    assert "胸部 CT 分割" in shown.output
    (tmp_path / "bad.yaml").write_text("rules: 1")
    told = CliRunner().invoke(app, ["rules", "--check", str(tmp_path / "bad.yaml")], env=env)
    assert isinstance(told.exception, BadRules)


def test_an_empty_region_is_not_written(scans: Path) -> None:
    drawn = structure_set({"GTV": [square(50, 3.5, 9.5)]})
    (scans.parent / "rt.dcm").write_bytes(written(drawn))
    told = CliRunner().invoke(
        app, ["write", str(scans), "--mask", str(scans.parent / "rt.dcm"), "--out", "x.dcm"]
    )
    assert isinstance(told.exception, ImageProblem)
    assert "没有体素" in str(told.exception)
