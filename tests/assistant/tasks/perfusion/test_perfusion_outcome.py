"""A perfusion study as SEG, SR and pictures for other systems."""

from __future__ import annotations

import json
from io import BytesIO

import highdicom
import numpy as np
import pytest
from imaging_samples import written
from perfusion_samples import instances, phantom
from pydicom import Dataset, dcmread

from assistant.application import build_services
from assistant.imaging.out.product import products
from assistant.imaging.out.structure import Result
from assistant.record.attachment_content import read
from assistant.settings import Settings
from assistant.store import Context
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.outcome import outcome
from assistant.tasks.perfusion.request import PerfusionStudy
from assistant.tasks.perfusion.run import reported
from assistant.work.registry import Registry
from eval.clinical.perfusion.phantom import Phantom

DOCTOR = Context("doctor-1", "doctor", "pat-1", "enc-1")


def small(**changes: object) -> Phantom:
    return phantom(shape=(2, 80, 80), spacing=(5.0, 2.6, 2.6), times=40, step=1.0, **changes)


async def ended(settings: Settings, files: list[Dataset]) -> tuple[PerfusionReport, Result]:
    parts = build_services(settings, Registry.of([]), None)
    try:
        for one in files:
            kept = parts.resources.attachments.add(DOCTOR, read(written(one), "application/dicom"))
        request = PerfusionStudy.model_validate(
            {"patient_id": "pat-1", "attachments": [kept.model_dump()]}
        )
        draft = await reported(request, DOCTOR, parts.resources)
        return draft, outcome(request, draft, DOCTOR, parts.resources)
    finally:
        parts.store.close()


async def test_a_stroke_ends_as_segments_measurements_and_pictures(settings: Settings) -> None:
    files = instances(small(), PixelSpacing=[2.6, 2.6])
    draft, result = await ended(settings, files)
    made = {one.name: one for one in products(result, ["seg", "sr", "sc", "png", "json"])}
    seg = highdicom.seg.segread(BytesIO(made["segmentation.dcm"].data))
    told = {seg.get_segment_description(n).segment_label: n for n in seg.segment_numbers}
    first = {one.SOPInstanceUID for one in files if one.TemporalPositionIdentifier == 1}
    assert {str(uid) for _, _, uid in seg.get_source_image_uids()} <= first
    core = seg.get_volume(segment_numbers=[told["梗死核心"]], combine_segments=True).array
    voxel = 5.0 * 2.6**2 / 1000
    assert np.count_nonzero(core) * voxel == pytest.approx(draft.findings.core_ml)
    report = highdicom.sr.srread(BytesIO(made["report.dcm"].data))
    (group,) = report.content.get_image_measurement_groups()
    whole = {one.name.value: one.value for one in group.get_measurements()}
    assert whole["perfusion-core"] == pytest.approx(draft.findings.core_ml)
    assert whole["perfusion-hypoperfused"] == pytest.approx(draft.findings.penumbra_ml)
    assert len(report.content.get_volumetric_roi_measurement_groups()) == len(told) == 3
    captures = [one for name, one in made.items() if one.form == "sc"]
    assert len(captures) == 6
    assert all("科研用途" in dcmread(BytesIO(one.data)).SeriesDescription for one in captures)
    assert "科研用途" in json.loads(made["result.json"].data)["notice"]


async def test_a_healthy_brain_ends_as_tissue_alone(settings: Settings) -> None:
    files = instances(small(stroke=False), PixelSpacing=[2.6, 2.6])
    draft, result = await ended(settings, files)
    assert draft.findings.penumbra_ml == 0
    made = products(result, ["seg", "sr"])
    seg = highdicom.seg.segread(BytesIO(made[0].data))
    assert list(seg.segment_numbers) == [1]
    listed = {one.name.value: one.value for one in result.measurements}
    assert listed["perfusion-core"] == 0
    assert "perfusion-mismatch-ratio" not in listed
