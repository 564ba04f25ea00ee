"""A DICOMweb server on loopback: QIDO, WADO and STOW over what it is given, honest or not."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pydicom
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

JSON = "application/dicom+json"
SOP_CLASS, INSTANCE = "00081150", "00081155"


@dataclass
class Pacs:
    """What it has, and how it behaves."""

    files: list[bytes] = field(default_factory=list)
    stored: list[pydicom.Dataset] = field(default_factory=list)
    token: str = ""
    leave_out: int = 0
    """Instances that it lists and does not give."""

    gives: list[bytes] | None = None
    """What it gives instead of what was asked for."""

    drip: float = 0.0
    """Seconds between two bytes of an answer that does not end."""

    without_search: bool = False
    passes_over: bool = False
    """Filters of a search."""

    page: int = 1000
    refuses: bool = False
    redirect: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def datasets(self) -> list[pydicom.Dataset]:
        return [pydicom.dcmread(BytesIO(one)) for one in self.files]


def app(pacs: Pacs) -> FastAPI:
    made = FastAPI()

    @made.middleware("http")
    async def guard(request: Request, go_on: Any) -> Any:
        pacs.seen.append(dict(request.headers))
        if pacs.redirect:
            return Response(status_code=302, headers={"Location": pacs.redirect})
        if pacs.token and request.headers.get("authorization") != f"Bearer {pacs.token}":
            return Response(status_code=401)
        return await go_on(request)

    @made.get("/studies")
    async def studies(request: Request) -> Any:
        wanted = "" if pacs.passes_over else request.query_params.get("PatientID", "")
        found = {
            one.StudyInstanceUID: one
            for one in pacs.datasets()
            if not wanted or wanted == one.get("PatientID", "")
        }
        listed = [
            {
                "0020000D": {"vr": "UI", "Value": [uid]},
                "00100020": {"vr": "LO", "Value": [one.get("PatientID", "")]},
                "00080020": {"vr": "DA", "Value": [one.get("StudyDate", "")]},
            }
            for uid, one in found.items()
        ]
        return JSONResponse(listed, media_type=JSON)

    @made.get("/studies/{study}/series")
    async def series(study: str) -> Any:
        found: dict[str, Any] = {}
        for one in pacs.datasets():
            if study == one.StudyInstanceUID:
                known = found.setdefault(one.SeriesInstanceUID, [one.Modality, 0])
                known[1] += 1
        listed = [
            {
                "00080060": {"vr": "CS", "Value": [kind]},
                "0020000E": {"vr": "UI", "Value": [uid]},
                "00201209": {"vr": "IS", "Value": [count]},
            }
            for uid, (kind, count) in found.items()
        ]
        return JSONResponse(listed, media_type=JSON)

    @made.get("/studies/{study}/series/{one}/instances")
    async def instances(study: str, one: str, offset: int = 0) -> Any:
        if pacs.without_search:
            raise HTTPException(501)
        uids = [d.SOPInstanceUID for d in pacs.datasets() if one == d.SeriesInstanceUID]
        page = uids[offset : offset + pacs.page]
        listed = [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in page]
        return JSONResponse(listed, media_type=JSON)

    @made.get("/studies/{study}/series/{one}")
    async def retrieve(study: str, one: str) -> Any:
        if pacs.drip:
            return StreamingResponse(dripping(), media_type=multipart())
        chosen = [
            data
            for data, d in zip(pacs.files, pacs.datasets(), strict=True)
            if (study, one) == (d.StudyInstanceUID, d.SeriesInstanceUID)
        ]
        if pacs.gives is not None:
            chosen = pacs.gives
        if not chosen:
            raise HTTPException(404)
        body = b"".join(
            b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n"
            for data in chosen[pacs.leave_out :]
        )
        return Response(body + b"--edge--\r\n", headers={"Content-Type": multipart()})

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(pacs.drip)

    @made.post("/studies")
    async def store(request: Request) -> Any:
        kind = request.headers["content-type"]
        assert 'type="application/dicom"' in kind
        edge = re.search(r'boundary="?([^";]+)', kind)
        assert edge is not None
        parts = (await request.body()).split(b"--" + edge[1].encode())
        failed, taken = [], []
        for part in parts[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            assert b"application/dicom" in head
            one = pydicom.dcmread(BytesIO(data.removesuffix(b"\r\n")))
            named = {
                SOP_CLASS: {"vr": "UI", "Value": [one.SOPClassUID]},
                INSTANCE: {"vr": "UI", "Value": [one.SOPInstanceUID]},
            }
            (failed if pacs.refuses else taken).append(named)
            if not pacs.refuses:
                pacs.stored.append(one)
        answer = {"00081199": {"vr": "SQ", "Value": taken}}
        if failed:
            answer = {"00081198": {"vr": "SQ", "Value": failed}}
        return JSONResponse(answer, status_code=202 if failed else 200, media_type=JSON)

    return made


def multipart() -> str:
    return 'multipart/related; type="application/dicom"; boundary="edge"'


@contextlib.contextmanager
def serving(pacs: Pacs, port: int) -> Iterator[Pacs]:
    """The server, up while the block runs."""
    config = uvicorn.Config(
        app(pacs), host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    pacs.url = f"http://127.0.0.1:{port}"
    try:
        yield pacs
    finally:
        server.should_exit = True
        thread.join(5)
