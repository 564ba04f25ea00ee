"""A request's way from kept DICOM files to maps, their pictures and the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment_content import read
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.perfusion import dicom_study, picture
from assistant.tasks.perfusion.analysis import Analysis, analysed
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.picture import Montage
from assistant.tasks.perfusion.request import PerfusionStudy
from assistant.tasks.perfusion.result import findings
from assistant.tasks.perfusion.source import artery_of
from assistant.tasks.perfusion.wording import sentences, stated, text_of
from assistant.work.resources import Resources
from serving.engine import EngineError


async def reported(
    request: PerfusionStudy, context: Context, resources: Resources
) -> PerfusionReport:
    """The report of a request's study.  Raises `EngineError` with what is wrong with it."""
    try:
        return await asyncio.to_thread(_reported, request, context, resources.attachments)
    except ImageProblem as problem:
        raise EngineError(str(problem)) from None


def _reported(
    request: PerfusionStudy, context: Context, attachments: Attachments
) -> PerfusionReport:
    started = time.perf_counter()
    files = _files(request, context, attachments)
    study = dicom_study.read(dicom.datasets(files), request.step_seconds)
    found = analysed(study, request.settings, artery_of(request.artery, study))
    said = findings(found, request.settings)
    listed = sentences(found, said)
    shown = _kept(found, context, attachments)
    series = request.attachments[0].id
    montages = {name: (id_, made) for name, (id_, made) in shown.items() if made is not None}
    return PerfusionReport(
        findings=said,
        statements=stated(listed, found, series, montages),
        report=text_of(listed, said),
        pictures={name: id_ for name, (id_, _) in shown.items()},
        seconds=time.perf_counter() - started,
    )


def _files(request: PerfusionStudy, context: Context, attachments: Attachments) -> Iterator[bytes]:
    for one in request.attachments:
        for _, data in attachments.contents(context, one.id):
            yield data


def _kept(
    found: Analysis, context: Context, attachments: Attachments
) -> dict[str, tuple[str, Montage | None]]:
    """The pictures, kept beside the images: their attachments by name."""
    montages = {name: picture.map_picture(found, name) for name in picture.SCALES}
    montages["lesion"] = picture.lesion_picture(found)
    kept: dict[str, tuple[str, Montage | None]] = {}
    for name, made in montages.items():
        kept[name] = (attachments.add(context, read(made.png, "image/png")).id, made)
    curves = attachments.add(context, read(picture.curve_picture(found), "image/png"))
    kept["curves"] = (curves.id, None)
    return kept
