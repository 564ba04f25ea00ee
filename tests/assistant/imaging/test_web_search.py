"""Series of one patient in an archive: listed, fetched, and never those of another."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from dicomweb_server import Pacs, serving
from imaging_samples import SERIES, ball, segmentation, series, written

from assistant.imaging.problem import ImageProblem
from assistant.imaging.web_search import instances, series_of
from assistant.interop.dicom.settings import DicomWebServer


@pytest.fixture(scope="module")
def pacs() -> Iterator[Pacs]:
    files = [*series(PatientID="p1", StudyDate="20260302"), segmentation(ball())]
    files[-1].PatientID, files[-1].StudyDate = "p1", "20260302"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serving(Pacs([written(one) for one in files]), port) as up:
        yield up


@pytest.fixture
def server(pacs: Pacs) -> DicomWebServer:
    return DicomWebServer.model_validate({"url": pacs.url})


def test_the_series_of_a_patient_are_listed_and_fetched(server: DicomWebServer) -> None:
    found = {one.modality: one for one in series_of(server, "p1")}
    assert set(found) == {"CT", "SEG"}
    assert (found["CT"].instances, found["CT"].date) == (8, "20260302")
    got = instances(server, found["CT"], "p1")
    assert {one.SeriesInstanceUID for one in got} == {SERIES}
    assert len(got) == 8


@pytest.mark.parametrize("passes_over", [False, True])
def test_another_patient_has_nothing_there(
    server: DicomWebServer, pacs: Pacs, passes_over: bool
) -> None:
    """Not even where the server passes over the filter."""
    pacs.passes_over = passes_over
    assert series_of(server, "p2") == []
    pacs.passes_over = False
    one = series_of(server, "p1")[0]
    with pytest.raises(ImageProblem, match="其他患者"):
        instances(server, one, "p2")
