"""From a study that arrives to results that have gone out, with nobody in between."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import highdicom
import numpy as np
import pytest
from dicom_peer import archive, associated, send, study
from dicomweb_server import Pacs, serving
from imaging_samples import ball, series
from pydicom.dataset import Dataset
from starlette.testclient import TestClient
from typer.testing import CliRunner

from assistant.application import build_app
from assistant.imaging.series import assemble
from assistant.imaging.source import read_region
from assistant.interop.dicom import reception as module
from assistant.interop.dicom.command import app
from assistant.interop.dicom.reception import summary
from assistant.interop.dicom.settings import DicomWebServer, Peer
from assistant.settings import Settings
from assistant.store.models.study import DicomStudyRow

from .conftest import DOCTOR, RULE, TASKS, Desk, closed, opened, write_rules


async def arrives(desk: Desk, datasets: list[Dataset]) -> None:
    assert set(await asyncio.to_thread(send, desk.port, datasets)) == {0}


def route(desk: Desk) -> dict[str, object]:
    (found,) = desk.study().routes.values()
    assert isinstance(found, dict)
    return found


async def test_a_study_ends_as_a_draft_and_as_objects_in_a_folder(desk: Desk) -> None:
    await arrives(desk, study())
    row = await desk.until("done")
    assert route(desk)["state"] == "delivered", summary(row)
    (kept,) = desk.parts.store.drafts.list(DOCTOR)
    assert (kept.kind, kept.patient_id, kept.encounter_id) == ("radiomics", "pat-1", "enc-1")
    (folder,) = (desk.settings.home / "dicom" / "out" / row.id).iterdir()
    assert "pat-1" not in str(folder.relative_to(desk.settings.home))
    region = read_region(folder / "segmentation.dcm", assemble(series()))
    assert np.array_equal(region.mask, ball())
    report = highdicom.sr.srread(folder / "report.dcm")
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    measured = {one.name.value: one for one in group.get_measurements()}
    mean = measured["Q4LE"]
    assert (mean.name.scheme_designator, mean.unit.value) == ("IBSI", "[hnsf'U]")
    said = {one["tag"]: one["value"] for one in kept.content["draft"]["features"]}
    assert mean.value == pytest.approx(said["stat_mean"])
    listed = json.loads((folder / "result.json").read_text("utf-8"))
    assert "科研用途" in listed["notice"]


async def test_results_go_to_a_peer_and_a_dicomweb_server(
    desk: Desk, unused_tcp_port_factory: object, tmp_path: Path
) -> None:
    peer, web = unused_tcp_port_factory(), unused_tcp_port_factory()  # type: ignore[operator]
    desk.settings.dicom.peers["PACS"] = Peer(host="127.0.0.1", port=peer, ae_title="ARCHIVE")
    rule = RULE | {
        "results": [
            {"forms": ["sr", "rtstruct"], "to": "peer", "name": "PACS"},
            {"forms": ["sc"], "to": "dicomweb", "name": "pacs"},
            {"forms": ["nifti", "png"], "to": "folder", "name": str(tmp_path / "research")},
        ]
    }
    write_rules(desk.settings.home, rule)
    desk.reception._rules = module.routing.load(desk.settings.dicom, desk.settings.home)
    taken: list[Dataset] = []
    with serving(Pacs(token="t"), web) as pacs, archive(peer, taken):
        desk.settings.dicomweb["pacs"] = DicomWebServer.model_validate(
            {"url": pacs.url, "token": "t"}
        )
        await arrives(desk, study())
        await desk.until("done")
    assert route(desk)["state"] == "delivered", route(desk)["note"]
    # The report points at segments, so their object goes with it.
    assert [one.Modality for one in taken] == ["SEG", "RTSTRUCT", "SR"]
    assert {one.PatientID for one in taken} == {"pat-1"}
    (capture,) = pacs.stored
    assert (capture.Modality, capture.StudyInstanceUID) == ("OT", study()[0].StudyInstanceUID)
    names = {path.name for path in (tmp_path / "research").rglob("*") if path.is_file()}
    assert names == {"labels.nii.gz", "labels.json", "montage.png"}


async def test_our_own_results_start_nothing_when_they_come_back(desk: Desk) -> None:
    await arrives(desk, study())
    row = await desk.until("done")
    (path,) = (desk.settings.home / "dicom" / "out" / row.id).rglob("segmentation.dcm")
    import pydicom

    back = pydicom.dcmread(path)
    await arrives(desk, [back])
    await desk.holds(lambda: back.SeriesInstanceUID in desk.study().series)
    await desk.until("done")
    assert len(desk.study().routes) == 1
    assert len(desk.parts.store.drafts.list(DOCTOR)) == 1


async def test_a_study_that_stops_half_way_waits_and_then_says_so(desk: Desk) -> None:
    whole = study()
    missing = [one for one in whole if one.get("InstanceNumber") in (3, 4)]
    desk.settings.dicom.patience_seconds = 600
    await arrives(desk, [one for one in whole if one not in missing])
    row = await desk.until("waiting")
    assert "1 个序列缺 2 幅" in row.note
    desk.settings.dicom.patience_seconds = 0.1
    row = await desk.until("incomplete")
    assert "1 个序列缺 2 幅" in row.note
    assert not row.routes, "nothing is started from half a study"
    assert "不完整" in summary(row)[0]
    await arrives(desk, missing)
    row = await desk.until("done")
    assert (row.note, route(desk)["state"]) == ("", "delivered")


async def test_somebody_may_take_half_a_study_as_it_is(desk: Desk) -> None:
    """What is wrong with it the task then says."""
    await arrives(desk, [one for one in study() if one.get("InstanceNumber") != 3])
    row = await desk.until("incomplete")
    home = {"BEDSIDE_HOME": str(desk.settings.home)}
    unknown = await asyncio.to_thread(CliRunner().invoke, app, ["release", "x"], env=home)
    assert unknown.exit_code == 1
    told = await asyncio.to_thread(CliRunner().invoke, app, ["release", row.id], env=home)
    assert told.exit_code == 0, told.output
    await desk.until("done")
    assert (route(desk)["state"], "缺层" in str(route(desk)["note"])) == ("failed", True)


async def test_a_study_that_makes_trouble_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = desk.reception._judge

    async def trouble(row: DicomStudyRow) -> None:
        if row.patient_id == "pat-0":
            raise KeyError
        await judge(row)

    monkeypatch.setattr(desk.reception, "_judge", trouble)
    other = study(PatientID="pat-0", StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1")[:1]
    other[0].SOPInstanceUID = other[0].file_meta.MediaStorageSOPInstanceUID = "1.2.9.1.1"
    await arrives(desk, other)
    await arrives(desk, study())
    states = desk.parts.store.studies.list
    await desk.holds(lambda: {one.state for one in states()} == {"open", "done"})


async def test_a_sender_may_say_how_many_there_are(desk: Desk) -> None:
    """Then a study that lacks its end is seen too, which numbers cannot tell."""
    told = [one for one in study(NumberOfSeriesRelatedInstances=8) if one.Modality == "CT"]
    told.sort(key=lambda one: int(one.InstanceNumber))
    desk.settings.dicom.patience_seconds = 600
    await arrives(desk, told[:5])
    row = await desk.until("waiting")
    assert "缺 3 幅" in row.note


async def test_a_delivery_that_fails_is_tried_again(desk: Desk, unused_tcp_port: int) -> None:
    desk.settings.dicom.peers["PACS"] = Peer(
        host="127.0.0.1", port=unused_tcp_port, ae_title="ARCHIVE", timeout_seconds=2
    )
    desk.settings.dicom.retries = 100
    write_rules(
        desk.settings.home, RULE | {"results": [{"forms": ["sc"], "to": "peer", "name": "PACS"}]}
    )
    desk.reception._rules = module.routing.load(desk.settings.dicom, desk.settings.home)
    await arrives(desk, study())
    await desk.holds(lambda: any(one["attempts"] for one in desk.study().routes.values()))
    assert "无法与接收方建立关联" in str(route(desk)["note"])
    taken: list[Dataset] = []
    with archive(unused_tcp_port, taken):
        await desk.until("done")
    assert (route(desk)["state"], len(taken)) == ("delivered", 1)


async def test_after_some_tries_it_says_so(desk: Desk, unused_tcp_port: int) -> None:
    desk.settings.dicom.peers["PACS"] = Peer(
        host="127.0.0.1", port=unused_tcp_port, ae_title="ARCHIVE"
    )
    rule = RULE | {"results": [{"forms": ["sc"], "to": "peer", "name": "PACS"}]}
    write_rules(desk.settings.home, rule)
    desk.reception._rules = module.routing.load(desk.settings.dicom, desk.settings.home)
    with archive(unused_tcp_port, [], status=0xA700):
        await arrives(desk, study())
        await desk.until("done")
    assert route(desk)["state"] == "failed"
    assert "A700" in str(route(desk)["note"])
    assert len(desk.parts.store.drafts.list(DOCTOR)) == 1, "the draft is there all the same"


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ({"task": "nothing"}, "refused", "没有安装"),
        ({"options": {"settings": "no such"}}, "refused", "没有这个设置"),
        ({"options": {"colour": 1}}, "refused", "options 与任务不符"),
        ({"options": {"roi": "gone"}}, "failed", "区域名"),
        ({"results": [{"forms": ["sc"], "to": "peer", "name": "NONE"}]}, "failed", "NONE"),
    ],
)
async def test_what_a_rule_gets_wrong_is_told_of(
    desk: Desk, change: dict[str, object], state: str, said: str
) -> None:
    write_rules(desk.settings.home, RULE | change)
    desk.reception._rules = module.routing.load(desk.settings.dicom, desk.settings.home)
    await arrives(desk, study())
    row = await desk.until("done")
    assert (route(desk)["state"], said in str(route(desk)["note"])) == (state, True), summary(row)


async def test_it_goes_on_where_it_was_stopped(
    dicom_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    dicom_settings.dicom.quiet_seconds = 600
    desk = await opened(dicom_settings)
    await arrives(desk, study())
    await closed(desk)
    dicom_settings.dicom.quiet_seconds = 0.1
    desk = await opened(dicom_settings)
    try:
        await desk.until("done")
        assert route(desk)["state"] == "delivered"
        # Whatever is looked at again, nothing is started twice.
        row = desk.study()
        desk.parts.store.studies.settle(row.id, row.arrived_at, "complete", "")
        await desk.until("done")
        assert len(desk.parts.store.requests.list(DOCTOR)) == 1
    finally:
        await closed(desk)


async def test_a_purge_takes_the_study_too(desk: Desk) -> None:
    await arrives(desk, study())
    await desk.until("done")
    assert list((desk.settings.home / "dicom").rglob("*.dcm"))
    desk.parts.store.purge_patient("pat-1", DOCTOR)
    assert not desk.parts.store.studies.list()
    for folder in ("attachments", "dicom"):
        assert not [p for p in (desk.settings.home / folder).rglob("*") if p.is_file()]


def test_the_server_listens_where_it_is_switched_on(dicom_settings: Settings) -> None:
    server = build_app(dicom_settings, with_ui=False, tasks=TASKS)
    with TestClient(server, base_url="http://127.0.0.1") as client:
        assert send(dicom_settings.dicom.port, study()[:1]) == [0]
        headers = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
        (one,) = client.get("/v1/attachments", headers=headers).json()
        assert (one["modality"], one["instances"]) == ("CT", 1)
        other = {"X-Patient-Id": "pat-2"}
        assert client.get("/v1/attachments", headers=other).json() == []
    with associated(dicom_settings.dicom.port) as association:
        assert not association.is_established, "it ends with the server"


def test_it_is_off_by_default(settings: Settings) -> None:
    server = build_app(settings, with_ui=False, tasks=TASKS)
    with TestClient(server), associated(settings.dicom.port) as association:
        assert not association.is_established
