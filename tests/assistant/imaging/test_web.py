"""Series of a DICOMweb server, over a real one on loopback; one that lies or dawdles is told of."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dicomweb_server import Pacs, serving
from imaging_samples import SERIES, STUDY, ball, intensities, segmentation, series, written
from pydantic import SecretStr
from typer.testing import CliRunner

from assistant.imaging import web
from assistant.imaging.out.product import products
from assistant.imaging.out.source import source_of
from assistant.imaging.out.structure import Result, region
from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble
from assistant.imaging.source import read_image, read_region
from assistant.interop.dicom.settings import DicomWebServer

IMAGES = Path(f"dicomweb:pacs/{STUDY}/{SERIES}")


@pytest.fixture
def pacs(free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pacs]:
    files = [written(one) for one in series()] + [written(segmentation(ball()))]
    with serving(Pacs(files, token="s3cret"), free_port) as up:
        monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
        server = {"url": up.url, "token": up.token, "timeout_seconds": 2, "total_seconds": 20}
        monkeypatch.setenv("BEDSIDE_DICOMWEB", json.dumps({"pacs": server}))
        yield up


def settings_of(pacs: Pacs, **changes: object) -> DicomWebServer:
    return DicomWebServer.model_validate({"url": pacs.url, "token": pacs.token, **changes})


@pytest.mark.parametrize("named", [IMAGES, Path(f"dicomweb:pacs/{STUDY}")])
def test_a_series_and_its_region_are_fetched(pacs: Pacs, named: Path) -> None:
    """By name, or as the only series of images of the study."""
    volume = read_image(named)
    assert np.array_equal(volume.array, intensities())
    region = read_region(Path(f"dicomweb:pacs/{STUDY}"), volume)
    assert np.array_equal(region.mask, ball())
    assert all(one["authorization"] == "Bearer s3cret" for one in pacs.seen)


def test_features_are_extracted_from_a_server(pacs: Pacs, tmp_path: Path) -> None:
    from assistant.tasks.radiomics.command import app

    study = f"dicomweb:pacs/{STUDY}"
    wanted = tmp_path / "wanted.json"
    wanted.write_text('{"bins": {"width": 25, "start": "minimum"}}')
    asked = ["extract", study, "--mask", study, "--settings", str(wanted), "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    by_tag = {one["tag"]: one["value"] for one in json.loads(told.stdout)}
    assert by_tag["morph_vol_approx"] == pytest.approx(ball().sum() * 2.5)


def test_instances_are_listed_page_by_page(pacs: Pacs) -> None:
    pacs.page = 3
    assert np.array_equal(read_image(IMAGES).array, intensities())
    pacs.without_search = True
    assert np.array_equal(read_image(IMAGES).array, intensities())


def refused(said: str, path: Path = IMAGES) -> None:
    with pytest.raises(ImageProblem, match=said):
        read_image(path)


def test_a_server_that_lies_is_told_of(pacs: Pacs) -> None:
    pacs.leave_out = 2
    refused("少给了 2 幅")
    pacs.leave_out = 0
    pacs.gives = [written(one) for one in series(SeriesInstanceUID=f"{SERIES}.9")]
    refused("其他序列")
    pacs.gives = [b"<html>no DICOM</html>"]
    refused("不是有效的 DICOMweb")
    pacs.gives = []
    refused("没有这个检查或序列")
    pacs.token = "another"
    refused("拒绝访问")


def test_a_token_goes_to_no_other_server(pacs: Pacs) -> None:
    pacs.redirect = "http://127.0.0.1:9/elsewhere"
    with pytest.raises(ImageProblem):
        read_image(IMAGES)
    assert len(pacs.seen) == 1


def test_what_is_not_there_is_told_of(pacs: Pacs) -> None:
    refused("没有这个检查或序列", Path(f"dicomweb:pacs/{STUDY}/1.2.3"))
    refused("没有合适的序列", Path("dicomweb:pacs/1.2.3"))
    refused("没有名为 other 的", Path(f"dicomweb:other/{STUDY}"))
    for wrong in ("dicomweb:pacs", "dicomweb:pacs/", "dicomweb:http://x/1", "dicomweb:a/b/c"):
        refused("地址须写作", Path(wrong))
    pacs.files += [written(one) for one in series(SeriesInstanceUID=f"{SERIES}.5")]
    refused(f"2 个序列.*{SERIES} CT 8 幅", Path(f"dicomweb:pacs/{STUDY}"))


def test_a_server_that_is_slow_or_gives_too_much_is_left(pacs: Pacs) -> None:
    place = web.address(IMAGES)
    pacs.drip = 0.05
    pacs.without_search = True
    started = time.monotonic()
    with pytest.raises(ImageProblem, match="太慢"):
        web.fetch(settings_of(pacs, total_seconds=0.6), place, bool)
    assert time.monotonic() - started < 15
    pacs.drip = 1.5
    with pytest.raises(ImageProblem, match="无响应"):
        web.fetch(settings_of(pacs, timeout_seconds=0.4, total_seconds=30), place, bool)
    pacs.drip = 0
    pacs.files += [written(one) + b"\0" * 400_000 for one in series(SeriesInstanceUID="1.2.3")]
    with pytest.raises(ImageProblem, match="1 MiB"):
        web.fetch(settings_of(pacs, max_mib=1), web.Address("pacs", STUDY, "1.2.3"), bool)


def test_a_server_whose_headers_do_not_end_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def dawdle() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                for number in range(60):
                    try:
                        connection.sendall(f"X-{number}: y\r\n".encode())
                    except OSError:
                        return
                    time.sleep(0.1)

        threading.Thread(target=dawdle, daemon=True).start()
        port = listening.getsockname()[1]
        server = DicomWebServer(
            url=f"http://127.0.0.1:{port}", total_seconds=0.5, timeout_seconds=5
        )
        with pytest.raises(ImageProblem, match="太慢"):
            web.fetch(server, web.address(IMAGES), bool)


def test_nobody_there_is_told_of(free_port: int) -> None:
    server = DicomWebServer(url=f"http://127.0.0.1:{free_port}", token=SecretStr("s3cret"))
    with pytest.raises(ImageProblem, match="无法连接") as problem:
        web.fetch(server, web.address(IMAGES), bool)
    assert "s3cret" not in str(problem.value)


def test_results_are_stored_and_a_refusal_is_told_of(pacs: Pacs) -> None:
    datasets = series()
    volume = assemble(datasets)
    labels, structures = region(ball(), "病灶")
    result = Result(volume, "t", source_of(datasets, volume), labels, structures)
    made = products(result, ["seg", "rtstruct", "sc"])
    objects = [one.data for one in made]
    web.store(settings_of(pacs), objects)
    sent = [one.dataset.SOPInstanceUID for one in made if one.dataset is not None]
    assert [one.SOPInstanceUID for one in pacs.stored] == sent
    assert len(sent) == 3
    assert pacs.stored[0].SegmentSequence[0].SegmentLabel == "病灶"
    pacs.refuses = True
    with pytest.raises(ImageProblem, match="拒收了 3 个"):
        web.store(settings_of(pacs), objects)
