"""The other side of DICOM on loopback: a scanner that sends, an archive that takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from imaging_samples import SERIES, STUDY, ball, segmentation, series
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, evt

PATIENT, ENCOUNTER = "pat-1", "enc-1"


def study(**changes: Any) -> list[Dataset]:
    """The slices of a CT and a SEG of the ball on them, of one patient and encounter."""
    made = [*series(), segmentation(ball())]
    for one in made:
        one.PatientID, one.AdmissionID = PATIENT, ENCOUNTER
        if one.Modality == "CT":
            one.InstanceNumber = int(one.SOPInstanceUID.rpartition(".")[2])
        for tag, value in changes.items():
            setattr(one, tag, value)
    return made


@contextlib.contextmanager
def associated(
    port: int,
    calling: str = "CT01",
    called: str = "BEDSIDE",
    syntax: str = ExplicitVRLittleEndian,
    datasets: Sequence[Dataset] = (),
) -> Iterator[Any]:
    """An association, accepted or not."""
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    entity.add_requested_context("1.2.840.10008.1.1")
    for kind in sorted({str(one.SOPClassUID) for one in datasets}):
        entity.add_requested_context(kind, syntax)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def send(port: int, datasets: Sequence[Dataset], **how: Any) -> list[int]:
    """The status of each."""
    with associated(port, datasets=datasets, **how) as association:
        assert association.is_established
        return [int(association.send_c_store(one).Status) for one in datasets]


def answer(port: int, dataset: Dataset, **how: Any) -> Dataset:
    """The whole answer to one."""
    with associated(port, datasets=[dataset], **how) as association:
        found: Dataset = association.send_c_store(dataset)
        return found


@contextlib.contextmanager
def archive(port: int, taken: list[Dataset], status: int = 0) -> Iterator[None]:
    """An archive that puts what it takes into ``taken``."""

    def store(event: Any) -> int:
        if not status:
            made = event.dataset
            made.file_meta = event.file_meta
            taken.append(made)
        return status

    entity = AE(ae_title="ARCHIVE")
    entity.supported_contexts = AllStoragePresentationContexts
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    try:
        yield
    finally:
        server.shutdown()


assert SERIES.startswith(STUDY.rpartition(".")[0])
