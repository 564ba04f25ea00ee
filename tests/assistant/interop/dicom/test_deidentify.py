"""De-identified copies: nothing of the patient is left, and what belongs together stays so."""

from __future__ import annotations

import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_peer import study
from hypothesis import given
from hypothesis import strategies as st
from imaging_samples import ball, intensities, square, structure_set, written
from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import read_image, read_region
from assistant.interop.dicom.command import app
from assistant.interop.dicom.deidentify import TABLE, Deidentifier, table

KEY = b"0123456789abcdef"
SECRETS = ("Zhang", "San", "pat-1", "enc-1", "北京协和", "13800138000", "19600102", "20240503")


def marked() -> list[Dataset]:
    """A study with the patient in every corner."""
    made = study(
        PatientBirthDate="19600102",
        StudyDate="20240503",
        AcquisitionDateTime="20240503101010",
        InstitutionName="北京协和",
        StudyDescription="Zhang San 复查",
        ImageComments="电话 13800138000",
        OperatorsName="Zhang^San",
        StationName="Zhang-1",
        ProtocolName="San",
    )
    for one in made:
        one.add_new(0x00091010, "LO", "Zhang San")
        one.add_new(0x60003000, "OW", b"Zhang San ")
        inner, deeper = Dataset(), Dataset()
        deeper.PersonName = "Zhang^San"
        deeper.TextValue = "pat-1"
        inner.ContentSequence = [deeper]
        inner.add_new(0x00111010, "UN", b"Zhang")
        inner.ReferencedSOPInstanceUID = made[0].SOPInstanceUID
        one.ReferencedImageSequence = [inner]
        one.file_meta.SourceApplicationEntityTitle = "ZhangSan"
    return made


def test_nothing_of_the_patient_is_left() -> None:
    made = Deidentifier(KEY)
    for one in marked():
        data = written(made.copy(one))
        for secret in SECRETS:
            assert secret.encode() not in data
            assert secret.encode("gb18030") not in data
        for uid in (one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID):
            assert uid.encode() not in data
        copy = pydicom.dcmread(BytesIO(data))
        assert copy.PatientIdentityRemoved == "YES"
        assert copy.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert not [e for e in copy.iterall() if e.tag.is_private or e.tag.group == 0x6000]
        assert one.PatientName == "Zhang^San", "the source is not changed"


def test_uids_stay_together_and_are_of_the_key() -> None:
    first, same, other = Deidentifier(KEY), Deidentifier(KEY), Deidentifier(b"another key 1234")
    datasets = marked()
    copies = [first.copy(one) for one in datasets]
    assert len({one.StudyInstanceUID for one in copies}) == 1
    assert len({one.FrameOfReferenceUID for one in copies}) == 1
    assert len({one.SeriesInstanceUID for one in copies}) == 2
    assert len({one.SOPInstanceUID for one in copies}) == len(copies)
    assert len({one.PatientID for one in copies}) == 1
    referred = copies[1].ReferencedImageSequence[0].ReferencedSOPInstanceUID
    assert referred == copies[0].SOPInstanceUID
    assert copies[0].file_meta.MediaStorageSOPInstanceUID == copies[0].SOPInstanceUID
    again = same.copy(datasets[0])
    assert again.SOPInstanceUID == copies[0].SOPInstanceUID
    assert again.PatientID == copies[0].PatientID
    assert other.copy(datasets[0]).SOPInstanceUID != copies[0].SOPInstanceUID
    assert other.copy(datasets[0]).PatientID != copies[0].PatientID
    assert copies[0].SOPClassUID == datasets[0].SOPClassUID


@given(st.from_regex(r"[1-9][0-9]{0,5}(\.(0|[1-9][0-9]{0,5})){1,8}", fullmatch=True))
def test_any_uid_becomes_a_valid_one(value: str) -> None:
    found = UID(Deidentifier(KEY).uid(value))
    assert found.is_valid
    if value.startswith("1.2.840.10008."):
        assert found == value
    else:
        assert found != value


def test_every_date_name_and_text_goes_whatever_its_tag() -> None:
    """Also those that the table does not name."""
    kinds = {"PN", "DA", "DT", "TM", "LO", "LT", "SH", "ST", "UT", "UC"}
    one = study()[0]
    planted = []
    for number, keyword in enumerate(sorted(keyword_dict)):
        tag = keyword_dict[keyword]
        kind = dictionary_VR(tag)
        if kind not in kinds or tag >> 16 in (0x0000, 0x0002) or keyword == "SpecificCharacterSet":
            continue
        if number % 3 and keyword not in table():
            continue
        value = {"DA": "19600102", "DT": "19600102", "TM": "111213.456"}.get(kind, "Zhang San")
        one.add_new(tag, kind, value)
        planted.append(keyword)
    assert len(planted) > 400
    copy = Deidentifier(KEY).copy(one)
    kept = {
        keyword
        for keyword in planted
        if str(copy.get(keyword, "")) in ("Zhang San", "19600102", "111213.456")
    }
    assert kept == {name for name in planted if table().get(name) == "K"}


def test_the_table_names_real_tags_once() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        names = [row["keyword"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(names) == len(set(names))
    assert all(tag_for_keyword(name) is not None for name in names)
    assert set(table().values()) <= set("XZDUPRK")


def test_reports_are_not_exported() -> None:
    one = study()[0]
    for kind in ("1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.104.1"):
        one.SOPClassUID = kind
        with pytest.raises(ImageProblem, match="无法自动去标识"):
            Deidentifier(KEY).copy(one)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    (made / "deep").mkdir(parents=True)
    for number, one in enumerate(marked()):
        (made / "deep" / f"Zhang-{number}").write_bytes(written(one))
    drawn = structure_set({"GTV 张三": [square(2, 3.5, 9.5), square(3, 3.5, 9.5)]})
    drawn.PatientID = "pat-1"
    (made / "rt.dcm").write_bytes(written(drawn))
    (made / "notes.txt").write_text("Zhang San")
    (made / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\x00")
    return made


def run(tmp_path: Path, folder: Path, *more: str) -> tuple[int, str, Path]:
    out = tmp_path / "research"
    told = CliRunner().invoke(
        app,
        ["deidentify", str(folder), "--out", str(out), *more],
        env={"BEDSIDE_HOME": str(tmp_path / "home")},
    )
    return told.exit_code, told.output, out


def test_a_folder_becomes_one_that_can_be_measured(tmp_path: Path, folder: Path) -> None:
    code, told, out = run(tmp_path, folder)
    assert code == 0, told
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) == 10
    assert not any("Zhang" in str(path.relative_to(out)) for path in files)
    by_kind: dict[str, list[Path]] = {}
    for path in files:
        by_kind.setdefault(pydicom.dcmread(path).Modality, []).append(path)
    volume = read_image(by_kind["CT"][0].parent)
    assert np.array_equal(volume.array, intensities())
    assert np.array_equal(read_region(by_kind["SEG"][0], volume).mask, ball())
    assert read_region(by_kind["RTSTRUCT"][0], volume, "ROI 1").mask.sum() == 72


def test_names_of_regions_are_kept_when_asked_for(tmp_path: Path, folder: Path) -> None:
    _, _, out = run(tmp_path, folder, "--keep-regions")
    names = {
        path: pydicom.dcmread(path).get("StructureSetROISequence") for path in out.rglob("*.dcm")
    }
    assert [one[0].ROIName for one in names.values() if one] == ["GTV 张三"]


def test_writing_in_pixels_is_warned_of_or_left_out(tmp_path: Path, folder: Path) -> None:
    one = study(Modality="US", SOPInstanceUID="1.2.3.9")[0]
    (folder / "us.dcm").write_bytes(written(one))
    code, told, out = run(tmp_path, folder)
    assert code == 0
    assert "1 个文件的像素里可能有" in told.replace("\n", "")
    assert "Zhang" not in told
    again = tmp_path / "second"
    again.mkdir()
    _, _, out = run(again, folder, "--without-burned")
    assert all(pydicom.dcmread(path).Modality != "US" for path in out.rglob("*.dcm"))


def test_folders_that_cannot_be_used_are_told_of(tmp_path: Path, folder: Path) -> None:
    def said(source: Path, out: Path) -> str:
        env = {"BEDSIDE_HOME": str(tmp_path / "home")}
        told = CliRunner().invoke(app, ["deidentify", str(source), "--out", str(out)], env=env)
        assert isinstance(told.exception, ImageProblem)
        return str(told.exception)

    assert "没有这个文件夹" in said(tmp_path / "gone", tmp_path / "o")
    assert "之内" in said(folder, folder / "out")
    assert "不是空的" in said(folder, tmp_path)
