"""Nodules of a job as SEG, SR and picture for other systems."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from chest_samples import chest, slices

from assistant.application import build_services
from assistant.imaging import dicom
from assistant.imaging.out.product import products
from assistant.imaging.out.structure import Result
from assistant.imaging.series import assemble
from assistant.imaging.source import read_region
from assistant.record.attachment_content import read
from assistant.settings import Settings
from assistant.store import Context
from assistant.tasks.detection.draft import Detections
from assistant.tasks.detection.outcome import outcome
from assistant.tasks.detection.request import ScanToSearch
from assistant.tasks.detection.run import detected
from assistant.work.registry import Registry

DOCTOR = Context("doctor-1", "doctor", "pat-1", "enc-1")


async def ended(settings: Settings, files: list[bytes], **more: Any) -> tuple[Detections, Result]:
    parts = build_services(settings, Registry.of([]), None)
    try:
        held = parts.resources.attachments
        for data in files:
            kept = held.add(DOCTOR, read(data, "application/dicom"))
        request = ScanToSearch.model_validate(
            {"patient_id": "pat-1", "attachments": [kept.model_dump()]} | more
        )
        draft = await detected(request, DOCTOR, parts.resources)
        return draft, outcome(request, draft, DOCTOR, parts.resources)
    finally:
        parts.store.close()


@pytest.fixture
def files() -> list[bytes]:
    return slices(chest(("left", "solid", 12.0), ("right", "solid", 16.0))[0])


async def test_nodules_end_as_segments_with_their_sizes(
    settings: Settings, files: list[bytes], tmp_path: Path
) -> None:
    draft, result = await ended(settings, files)
    made = {one.form: one for one in products(result, ["seg", "sr", "sc", "json"])}
    path = tmp_path / "seg.dcm"
    path.write_bytes(made["seg"].data)
    volume = assemble(dicom.datasets(files))
    report = highdicom.sr.srread(BytesIO(made["sr"].data))
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert len(groups) == len(draft.detections) >= 2
    for one, group in zip(draft.detections, groups, strict=True):
        mask = read_region(path, volume, f"结节 {one.number}").mask
        places = np.argwhere(mask)
        assert tuple(places.min(axis=0)[::-1]) == one.box_voxel[0]
        assert tuple(places.max(axis=0)[::-1]) == one.box_voxel[1]
        sizes = {value.name.meaning: value.value for value in group.get_measurements()}
        assert sizes["Long axis"] == pytest.approx(one.long_mm)
        assert sizes["Volume"] == pytest.approx(one.volume_mm3 / 1000)
    assert "科研用途" in made["sc"].dataset.SeriesDescription  # type: ignore[union-attr]


async def test_a_scan_without_nodules_still_ends_as_a_report(
    settings: Settings, files: list[bytes]
) -> None:
    draft, result = await ended(settings, files, threshold=1.0)
    assert draft.detections == []
    made = {one.form: one for one in products(result, ["sr", "sc", "json"])}
    assert set(made) == {"sr", "sc", "json"}
    (group,) = highdicom.sr.srread(BytesIO(made["sr"].data)).content.get_image_measurement_groups()
    (count,) = group.get_measurements()
    assert (count.name.meaning, count.value) == ("Candidate nodules found", 0)
