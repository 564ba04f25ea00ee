"""``bedside bill`` and ``/v1/bills``, with pages that are really read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bad_pages import BadFile, bad_files
from PIL import Image
from starlette.testclient import TestClient
from typer import Typer
from typer.testing import CliRunner, Result

from assistant.tasks.bill_ocr.command import bill
from assistant.tasks.bill_ocr.reading import OTHER_PATIENT
from eval.clinical.bills.generator.fonts import NoFont
from eval.clinical.bills.generator.layout import layouts
from eval.clinical.bills.generator.render import draw

pytest.importorskip("rapidocr")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean bill of few items."""
    (layout,) = [one for one in layouts("seen") if one.name == "settlement_cells"]
    try:
        made, _ = draw(layout, 3)
    except NoFont:
        pytest.skip("no Chinese font is installed")
    path = tmp_path_factory.mktemp("bills") / "a.png"
    made.image.save(path)
    return path


@pytest.fixture(scope="module")
def total() -> str:
    (layout,) = [one for one in layouts("seen") if one.name == "settlement_cells"]
    return draw(layout, 3)[1].values["total"]


def run(*arguments: str | Path) -> Result:
    app = Typer()
    app.command()(bill)
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "160"})


def test_a_page_on_its_head_in_a_mirror_of_another_patient(
    page: Path, total: str, tmp_path: Path
) -> None:
    turned = tmp_path / "mirror.png"
    picture = Image.open(page).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.save(turned)
    said = json.loads(run(turned, "--json", "--patient", "欧阳不在此处").stdout)
    assert said["fields"]["total"]["value"] == total
    assert OTHER_PATIENT in said["warnings"]
    assert any("镜像" in one for one in said["warnings"])


def test_one_file_is_one_object(page: Path, total: str) -> None:
    done = run(page, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["kind"] == "settlement_sheet"
    cell = said["fields"]["total"]
    assert (cell["value"], cell["page"]) == (total, 1)
    assert cell["box"]["width"] > 20
    assert {"name", "passed", "concerns"} <= said["checks"][0].keys()
    shown = run(page)
    assert total in shown.stdout
    assert "结算单" in shown.stdout


def test_a_folder_goes_on_where_it_stopped(page: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_bytes(page.read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture")
    done = run(folder, "--out", out)
    # A script learns that a file was refused, and which.
    assert done.exit_code == 1
    assert "broken.jpg" in done.stderr
    target = out / "bills.jsonl"
    first = target.read_bytes()
    lines = [json.loads(line) for line in first.splitlines()]
    assert [line["file"] for line in lines] == ["a.png", "broken.jpg"]
    assert [bool(line["problem"]) for line in lines] == [False, True]
    # A kill in the middle of the second line.
    target.write_bytes(first[: len(first) - 20])
    again = run(folder, "--out", out)
    assert "1 份新处理" in again.stderr
    assert target.read_bytes() == first
    last = run(folder, "--out", out)
    assert "0 份新处理" in last.stderr
    assert last.exit_code == 1
    (folder / "broken.jpg").unlink()
    assert run(folder, "--out", out, "--restart").exit_code == 0


READS_SLOWLY = """
import json, sys, time
from pathlib import Path
from assistant.tasks.bill_ocr import command_folder

class Reader:
    made_of = "test"
    def work(self, item):
        time.sleep(0.05)
        return json.dumps({"documents": [], "likeness": [], "problem": ""})

command_folder.open_reader = lambda patient, threads: Reader()
command_folder.processes_for = lambda items, least: 1
command_folder.read_folder(
    Path(sys.argv[1]), Path(sys.argv[2]), "", None, as_json=False, restart=False
)
"""


def test_a_killed_run_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = [f"{number:02d}.png" for number in range(40)]
    for name in names:
        (folder / name).write_text(name)
    command = [sys.executable, "-c", READS_SLOWLY, str(folder), str(out)]
    target = out / "bills.jsonl"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and not (target.exists() and target.read_bytes().count(b"\n") > 2):
            time.sleep(0.02)
        run.kill()
    kept = target.read_bytes()
    assert 2 < kept.count(b"\n") < len(names)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert target.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    files = [json.loads(line)["file"] for line in target.read_text().splitlines()]
    assert files == names
    assert f"{kept.count(10)} 份已有" in done.stderr


@pytest.mark.parametrize("file", bad_files(), ids=str)
def test_what_is_no_bill_is_said_in_a_sentence(tmp_path: Path, file: BadFile) -> None:
    path = tmp_path / file.name
    path.write_bytes(file.content)
    done = run(path, "--json")
    assert "Traceback" not in done.output
    if done.exit_code == 0:
        said = json.loads(done.stdout)
        assert (said["kind"], said["fields"], said["items"]) == ("unknown", {}, [])
        assert file.says in " ".join(said["warnings"])
    else:
        assert (done.exit_code, done.stdout) == (1, "")
        assert file.says in done.stderr


def test_an_empty_folder_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    assert run(tmp_path, "--json").exit_code == 2


def test_pages_of_a_patient_by_the_api(client: TestClient, page: Path, total: str) -> None:
    headers = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
    kept = client.post(
        "/v1/attachments",
        headers=headers | {"Content-Type": "image/png"},
        content=page.read_bytes(),
    ).json()
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": [kept]}
    body["patient_name"] = "欧阳不在此处"
    twice = client.post("/v1/bills", json=body | {"attachments": [kept, kept]}, headers=headers)
    assert twice.status_code == 422
    answer = client.post("/v1/bills?wait=true", json=body, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    job = client.get(f"/v1/bills/{answer.json()['id']}", headers=headers).json()
    (document,) = job["documents"]
    assert document["fields"]["total"]["value"] == total
    assert OTHER_PATIENT in document["warnings"]
    (draft,) = job["drafts"]
    assert draft["attachments"] == [kept["id"]]


def test_a_page_that_is_not_there_is_a_documented_404(client: TestClient) -> None:
    page = {
        "id": "att-1", "media_type": "image/png", "sha256": "0" * 64, "width": 10, "height": 10,
    }  # fmt: skip
    body = {"patient_id": "pat-1", "attachments": [page]}
    answer = client.post("/v1/bills", json=body, headers={"X-Patient-Id": "pat-1"})
    assert answer.status_code == 404
    assert "404" in client.get("/openapi.json").json()["paths"]["/v1/bills"]["post"]["responses"]
