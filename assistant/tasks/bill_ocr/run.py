"""A request's way from kept pages to documents."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from assistant.store.contents import Contents
from assistant.tasks.bill_ocr.document import BillDocument
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.request import BillToRead
from assistant.work.resources import Resources
from serving.engine import EngineUnavailable


async def readings(request: BillToRead, resources: Resources) -> list[BillReading]:
    """The drafts of a request, in the order of its pages.

    Raises `EngineUnavailable` where pages cannot be read here.
    """
    contents = Contents(resources.settings.home / "attachments")
    from serving.ocr.models import OcrUnavailable

    try:
        return await asyncio.to_thread(_read, request, contents)
    except OcrUnavailable as error:
        raise EngineUnavailable(str(error)) from error


def _read(request: BillToRead, contents: Contents) -> list[BillReading]:
    from assistant.tasks.bill_ocr.page import opened_pages
    from assistant.tasks.bill_ocr.page_line import page_lines
    from assistant.tasks.bill_ocr.reading import read_pages
    from serving.ocr.refusal import PageRefused

    started = time.perf_counter()
    pages = []
    refused: list[BillDocument] = []
    for number, attachment in enumerate(request.attachments, start=1):
        data = contents.read(attachment.sha256)
        name = request.file or attachment.id
        try:
            opened = opened_pages(data, name)
        except PageRefused as error:
            refused.append(BillDocument(pages=[number], warnings=[str(error)]))
            continue
        # One picture that shows two bills is opened as two pages of one attachment.
        pages += [replace(page, number=number) for page in opened]
    documents = [*read_pages(pages, patient=request.patient_name), *refused]
    seconds = time.perf_counter() - started
    return [
        BillReading(
            document=document,
            file=request.file,
            number=number,
            attachments=[request.attachments[page - 1].id for page in document.pages],
            lines=page_lines(page for page in pages if page.number in document.pages),
            warnings=document.warnings,
            seconds=seconds,
        )
        for number, document in enumerate(documents, start=1)
    ]
