"""A request's way from kept DICOM files to features and the picture of their region."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import numpy as np

from assistant.imaging import dicom, series
from assistant.imaging.picture import drawn, place
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import Region, region_of
from assistant.imaging.volume import Volume
from assistant.record.attachment import Series
from assistant.record.attachment_content import read
from assistant.record.evidence import SlicePicture, VolumeBox, VolumeRegion
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.radiomics.draft import MeasuredFeature, RadiomicsFeatures, RegionSize
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.request import RegionToMeasure
from assistant.tasks.radiomics.resampling import box
from assistant.tasks.radiomics.settings import Settings, load
from assistant.work.resources import Resources
from serving.engine import EngineError


async def measured(
    request: RegionToMeasure, context: Context, resources: Resources
) -> RadiomicsFeatures:
    """The features of a request's region.  Raises `EngineError` with what is wrong with it."""
    try:
        return await asyncio.to_thread(_measured, request, context, resources.attachments)
    except ImageProblem as problem:
        raise EngineError(str(problem)) from None


def _measured(
    request: RegionToMeasure, context: Context, attachments: Attachments
) -> RadiomicsFeatures:
    started = time.perf_counter()
    settings = request.settings
    chosen: Settings = load(settings) if isinstance(settings, str) else settings
    volume = series.assemble(dicom.datasets(_files(attachments, context, request.image)))
    found = next(iter(dicom.datasets(_files(attachments, context, request.region))), None)
    if found is None:
        raise ImageProblem("勾画文件是空的。", "The file of the region is empty.")
    region = region_of(found, volume, request.roi)
    features = extract(volume, region.mask, chosen)
    coefficients: dict[str, float | None] = {}
    if request.reproducibility:
        from assistant.tasks.radiomics.perturbation import reproduced

        coefficients = reproduced(volume, region.mask, chosen)
    size = int(region.mask.sum())
    return RadiomicsFeatures(
        settings=chosen,
        intensity_unit=volume.unit,
        region=RegionSize(
            name=region.name,
            voxels=size,
            millilitres=size * float(np.prod(volume.grid.spacing)) / 1000,
        ),
        evidence=_evidence(request, volume, region, attachments, context),
        features=[
            MeasuredFeature(**one.model_dump(), icc=coefficients.get(one.tag)) for one in features
        ],
        seconds=time.perf_counter() - started,
    )


def _files(attachments: Attachments, context: Context, one: Series) -> Iterator[bytes]:
    for _, data in attachments.contents(context, one.id):
        yield data


def _evidence(
    request: RegionToMeasure,
    volume: Volume,
    region: Region,
    attachments: Attachments,
    context: Context,
) -> VolumeRegion:
    """Where the region is, with the picture of its largest slice kept beside the images."""
    picture = drawn(volume, region.mask)
    kept = attachments.add(context, read(picture.png, "image/png"))
    part = box(region.mask)
    low = (float(part[2].start), float(part[1].start), float(part[0].start))
    high = (float(part[2].stop - 1), float(part[1].stop - 1), float(part[0].stop - 1))
    around = place(region.mask, picture)
    return VolumeRegion(
        quote=region.name,
        series_id=request.image.id,
        label=region.name,
        box=VolumeBox(unit="voxel", low=low, high=high),
        picture=SlicePicture(
            attachment_id=kept.id,
            slice=picture.slice,
            x=around[0],
            y=around[1],
            width=around[2],
            height=around[3],
        ),
    )
