"""Who may send what, spoken by a real peer on loopback."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest
from dicom_peer import answer, associated, send, study
from imaging_samples import written
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from assistant.interop.dicom.listening import CannotListen, syntaxes
from assistant.interop.dicom.receiving import Receiving
from assistant.interop.dicom.reception import Reception
from assistant.interop.dicom.refusal import InstanceRefused
from assistant.interop.dicom.settings import DicomSettings

from .conftest import DOCTOR, TASKS, Desk


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """One that starts nothing while files are counted."""
    desk.settings.dicom.quiet_seconds = 600
    return desk


def series_of(desk: Desk) -> dict[str, int]:
    listed = desk.parts.store.attachments.list(DOCTOR)
    return {one.modality: one.instances for one in listed if one.kind == "dicom_series"}


def files_of(home: Path) -> list[Path]:
    return [path for path in (home / "attachments").rglob("*") if path.is_file()]


async def test_a_study_is_kept_for_its_patient_and_encounter(desk: Desk) -> None:
    assert set(await asyncio.to_thread(send, desk.port, study())) == {0}
    assert series_of(desk) == {"CT": 8, "SEG": 1}
    row = desk.study()
    assert (row.patient_id, row.encounter_id, row.actor_id) == ("pat-1", "enc-1", "dicom:CT01")
    actions = {one.action for one in desk.parts.store.audit.list(patient_id="pat-1")}
    assert {"attachment.add", "study.arrive"} <= actions
    assert desk.parts.store.audit.verify().ok


async def test_it_answers_an_echo(desk: Desk) -> None:
    def echo() -> int:
        with associated(desk.port) as association:
            return int(association.send_c_echo().Status)

    assert await asyncio.to_thread(echo) == 0


@pytest.mark.parametrize(
    ("calling", "called"), [("UNKNOWN", "BEDSIDE"), ("CT01", "OTHER"), ("FAR", "BEDSIDE")]
)
async def test_who_is_not_of_the_list_is_rejected(desk: Desk, calling: str, called: str) -> None:
    """An unknown title, another title called, a known title from another address."""

    def ask() -> tuple[bool, bool]:
        with associated(desk.port, calling, called) as association:
            return association.is_rejected, association.is_established

    assert await asyncio.to_thread(ask) == (True, False)
    assert not desk.parts.store.studies.list()


async def test_the_same_study_twice_is_one(desk: Desk) -> None:
    await asyncio.to_thread(send, desk.port, study())
    before = desk.study()
    files = len(files_of(desk.settings.home))
    assert set(await asyncio.to_thread(send, desk.port, study())) == {0}
    # Another encoding of the same values is the same instance.
    slices = [one for one in study() if one.Modality == "CT"]
    statuses = await asyncio.to_thread(send, desk.port, slices, syntax=ImplicitVRLittleEndian)
    assert set(statuses) == {0}
    assert series_of(desk) == {"CT": 8, "SEG": 1}
    assert len(files_of(desk.settings.home)) == files == 9
    assert desk.study().series == before.series


def changed_pixels(one: Dataset) -> None:
    one.PixelData = bytes(len(one.PixelData))


def changed_patient(one: Dataset) -> None:
    one.PatientID = "pat-2"


def changed_study(one: Dataset) -> None:
    one.StudyInstanceUID = "1.2.3.4"
    one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = "1.2.3.5"


@pytest.mark.parametrize("change", [changed_pixels, changed_patient, changed_study])
async def test_another_content_under_a_known_uid_is_refused(desk: Desk, change: object) -> None:
    await asyncio.to_thread(send, desk.port, study())
    other = study()[0]
    change(other)  # type: ignore[operator]
    told = await asyncio.to_thread(answer, desk.port, other)
    assert told.Status == 0xC020
    assert "another content" in told.ErrorComment
    assert series_of(desk) == {"CT": 8, "SEG": 1}
    assert len(files_of(desk.settings.home)) == 9


@pytest.mark.parametrize(
    ("tag", "value", "status"),
    [
        ("PatientID", "", 0xC010),
        ("PatientID", "张三", 0xC010),
        ("PatientID", "../../etc", 0xC010),
        ("StudyInstanceUID", "", 0xC000),
        ("Modality", "", 0xC000),
    ],
)
async def test_what_cannot_be_bound_is_refused(
    desk: Desk, tag: str, value: str, status: int
) -> None:
    bad = study(**{tag: value})[0]
    told = await asyncio.to_thread(answer, desk.port, bad)
    assert told.Status == status
    assert not files_of(desk.settings.home)
    assert not desk.parts.store.studies.list()


@pytest.mark.parametrize("named", [("1.2.3", None), (None, "1.2.3")])
async def test_data_of_another_instance_than_was_named_are_refused(
    desk: Desk, named: tuple[str | None, str | None]
) -> None:
    one = study()[0]
    receiving = Receiving(desk.settings.dicom, desk.parts.store, desk.settings.home)
    kind, uid = named[0] or one.SOPClassUID, named[1] or one.SOPInstanceUID
    with pytest.raises(InstanceRefused) as refused:
        receiving.keep(written(one), "CT01", kind, uid)
    assert refused.value.status == 0xA900
    assert not files_of(desk.settings.home)


async def test_a_patient_without_an_encounter_is_bound_to_alone(desk: Desk) -> None:
    await asyncio.to_thread(send, desk.port, study(AdmissionID="住院 1"))
    row = desk.study()
    assert (row.patient_id, row.encounter_id) == ("pat-1", "")


async def test_with_a_disk_that_is_nearly_full_nothing_is_taken(desk: Desk) -> None:
    desk.settings.dicom.min_free_mib = 10**9
    told = await asyncio.to_thread(answer, desk.port, study()[0])
    assert (told.Status, "full" in told.ErrorComment) == (0xA700, True)
    assert not files_of(desk.settings.home)


async def test_a_write_that_fails_half_way_leaves_nothing(desk: Desk) -> None:
    """The system stops the file at half a mebibyte, as a disk does that fills up."""
    large = study(Rows=800, Columns=800, PixelData=b"\1" * 2 * 800 * 800)[0]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, limits[1]))
    try:
        told = await asyncio.to_thread(answer, desk.port, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told.Status == 0xA700
    assert not files_of(desk.settings.home)
    assert not desk.parts.store.studies.list()
    assert (await asyncio.to_thread(answer, desk.port, large)).Status == 0
    assert len(files_of(desk.settings.home)) == 1


async def test_a_sender_of_what_has_no_end_is_cut_off(desk: Desk) -> None:
    desk.settings.dicom.max_instance_mib = 1
    large = study(Rows=900, Columns=900, PixelData=b"\1" * 2 * 900 * 900)[0]

    def cut() -> bool:
        with associated(desk.port, datasets=[large]) as association:
            return "Status" not in association.send_c_store(large)

    assert await asyncio.to_thread(cut)
    assert not files_of(desk.settings.home)
    # Many that are small are not one that is large.
    assert set(await asyncio.to_thread(send, desk.port, study())) == {0}
    small = [
        study(PixelData=b"\1" * 400_000, Rows=500, Columns=400, SOPInstanceUID=f"1.2.7.{n}")[0]
        for n in range(5)
    ]
    assert set(await asyncio.to_thread(send, desk.port, small)) == {0}


async def test_a_port_that_is_taken_is_told_of(desk: Desk) -> None:
    other = Reception(desk.parts.store, TASKS, desk.parts.resources, desk.parts.jobs)
    with pytest.raises(CannotListen, match="端口"):
        await other.start()


def test_nobody_may_send_unless_named() -> None:
    assert not DicomSettings().listen
    with pytest.raises(ValueError, match="callers"):
        DicomSettings(listen=True)
    with pytest.raises(ValueError, match="ae_title"):
        DicomSettings.model_validate({"ae_title": "seventeen letters"})


def test_only_what_can_be_read_is_agreed_to() -> None:
    found = syntaxes()
    assert found[:2] == ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
    assert "1.2.840.10008.1.2.5" in found
    assert "1.2.840.10008.1.2.4.100" not in found, "video"
