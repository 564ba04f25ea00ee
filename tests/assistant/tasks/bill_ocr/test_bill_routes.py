"""``/v1/bills``: archive, corrections, exports, observations."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_pages import bad_files
from bill_samples import FIRST, kept, reading
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.record.encounter import Encounter
from assistant.record.evidence import Rectangle
from assistant.settings import Settings
from assistant.store import Context, Store
from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.uploading import BY_TYPE

HEADERS = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
WANG = Context("demo-doctor", "doctor", "pat-1", "enc-1")


@pytest.fixture(scope="module")
def application(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path, empty_database: Path
) -> Iterator[TestClient]:
    """One for all tests: building it takes far longer than what they ask of it."""
    home = tmp_path_factory.mktemp("bills")
    shutil.copy(empty_database, home)
    (home / "knowledge").symlink_to(knowledge_folder)
    app = build_app(Settings(home=home, encoder="hashing"), with_ui=False)
    if not any(task.kind == "bill" for task in app.state.services.tasks):
        pytest.skip("the installed package does not name the task yet: pip install -e .")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def client(application: TestClient) -> Iterator[TestClient]:
    """The application without bills of the patient."""
    yield application
    kept_in: Store = application.app.state.services.store  # type: ignore[attr-defined]
    kept_in.purge_patient(WANG.patient_id, WANG)


@pytest.fixture
def store(client: TestClient) -> Store:
    found: Store = client.app.state.services.store  # type: ignore[attr-defined]
    return found


@pytest.fixture
def bill(store: Store) -> str:
    return kept(store, WANG, reading(FIRST))


def test_the_archive_is_searched(client: TestClient, bill: str) -> None:
    found = client.get("/v1/bills?item=阿莫西&low=40&high=50", headers=HEADERS)
    assert found.status_code == 200, found.text
    (row,) = found.json()["bills"]
    assert (row["id"], row["total"], row["hospital"]) == (bill, "45.00", "青山县人民医院")
    assert client.get("/v1/bills?low=46", headers=HEADERS).json()["bills"] == []
    assert client.get("/v1/bills?since=yesterday", headers=HEADERS).status_code == 422


def test_access_is_by_role_and_patient(client: TestClient, bill: str) -> None:
    other = {"X-Patient-Id": "pat-2"}
    assert client.get("/v1/bills", headers=other).json()["bills"] == []
    assert client.get("/v1/bills").status_code == 403
    boss = {"X-Actor-Id": "boss", "X-Actor-Role": "admin"}
    assert len(client.get("/v1/bills", headers=boss).json()["bills"]) == 1
    assert client.get(f"/v1/bills/documents/{bill}", headers=boss | HEADERS).status_code == 403
    for path in ("", "/corrections", "/export", "/observations"):
        assert client.get(f"/v1/bills/documents/{bill}{path}", headers=other).status_code == 404


def test_a_correction_and_a_late_one(client: TestClient, bill: str) -> None:
    url = f"/v1/bills/documents/{bill}"
    body: dict[str, Any] = {
        "version": 1,
        "changes": [{"path": "fields.patient", "value": "王小明"}],
    }
    saved = client.post(url, json=body, headers=HEADERS)
    assert (saved.status_code, saved.json()["version"]) == (200, 2)
    late = client.post(url, json=body, headers=HEADERS)
    assert late.status_code == 409
    assert "已被他人修改" in late.json()["detail"]
    bad = {"version": 2, "changes": [{"path": "fields.total", "value": "很多"}]}
    assert client.post(url, json=bad, headers=HEADERS).status_code == 422
    (row,) = client.get(f"{url}/corrections", headers=HEADERS).json()
    assert (row["path"], row["new"], row["actor_id"]) == (
        "fields.patient",
        "王小明",
        "demo-doctor",
    )


def test_exports(client: TestClient, bill: str) -> None:
    settings: Settings = client.app.state.services.settings  # type: ignore[attr-defined]
    url = f"/v1/bills/documents/{bill}/export"

    def get(form: str) -> Any:
        return client.get(f"{url}?format={form}", headers=HEADERS)

    assert get("json").json()["fields"]["total"]["value"] == "45.00"
    assert "阿莫西木胶囊" in get("csv").text
    assert get("claim").json()["resourceType"] == "Claim"
    assert get("fhir").json()["resourceType"] == "Bundle"
    assert get("insurer").status_code == 404
    Path(settings.home / "claim_mapping.yaml").write_text(
        "form: json\nfields: {编码: items.code, 金额: items.amount}", encoding="utf-8"
    )
    assert get("insurer").json()[0]["金额"] == "25.00"
    assert get("xml").status_code == 422


def test_a_laboratory_sheet_is_of_the_record_once_accepted(
    client: TestClient, store: Store
) -> None:
    box = Rectangle(x=10, y=20, width=30, height=15)
    document = BillDocument(
        kind=DocumentKind.LABORATORY_SHEET,
        fields={
            "specimen": Cell(value="血清"),
            "sampled_at": Cell(value="2024-03-05 08:12"),
        },
        items=[
            {
                "name": Cell(value="血红蛋白"),
                "value": Cell(value="98", text="98", box=box),
                "unit": Cell(value="g/L"),
                "range": Cell(value="115-150"),
                "flag": Cell(value="↓"),
            }
        ],
    )
    page = "00000000-0000-7000-8000-000000000001"
    bill = kept(store, WANG, BillReading(document=document, attachments=[page]))
    url = f"/v1/bills/documents/{bill}"
    assert client.get(f"{url}/observations", headers=HEADERS).status_code == 409
    done = client.post(url, json={"version": 1, "accept": True}, headers=HEADERS)
    assert done.status_code == 200, done.text
    (result,) = client.get(f"{url}/observations", headers=HEADERS).json()
    assert result["loinc"] == "718-7"
    assert result["observation"]["flag"] == "low"
    assert result["observation"]["at"].startswith("2024-03-05T08:12")
    assert result["evidence"]["attachment_id"] == page
    assert (result["evidence"]["x"], result["evidence"]["quote"]) == (10, "98")


def _sheet(store: Store, day: str, value: str, flag: str) -> str:
    document = BillDocument(
        kind=DocumentKind.LABORATORY_SHEET,
        fields={"specimen": Cell(value="全血"), "sampled_at": Cell(value=f"{day} 08:12")},
        items=[
            {
                "name": Cell(value="血红蛋白"),
                "value": Cell(value=value, text=value, box=Rectangle(x=9, y=2, width=30, height=9)),
                "unit": Cell(value="g/L"),
                "range": Cell(value="115-150"),
                "flag": Cell(value=flag),
            }
        ],
    )
    page = "00000000-0000-7000-8000-000000000001"
    return kept(store, WANG, BillReading(document=document, attachments=[page]))


def test_accepted_sheets_of_a_patient_are_a_course_and_a_note_with_boxes(
    client: TestClient, store: Store
) -> None:
    url = "/v1/bills/patient/observations"
    later = _sheet(store, "2024-03-09", "121", "")
    first = _sheet(store, "2024-03-05", "98", "↓")
    again = _sheet(store, "2024-03-05", "98", "↓")
    client.get(f"/v1/bills/documents/{later}", headers=HEADERS)
    assert client.get(url, headers=HEADERS).json()["observations"] == []
    for bill in (later, first, again):
        body = {"version": 1, "accept": True}
        done = client.post(f"/v1/bills/documents/{bill}", json=body, headers=HEADERS)
        assert done.status_code == 200, done.text
    said = client.get(url, headers=HEADERS).json()
    assert [one["value"] for one in said["observations"]] == ["98", "121"]
    (trend,) = said["trends"]
    assert (trend["loinc"], trend["change"]) == ("718-7", "up")
    assert [point["flag"] for point in trend["points"]] == ["low", None]
    text, (line, _) = said["note"]["text"], said["lines"]
    assert text[line["start"] : line["end"]] == ("2024年3月5日 血红蛋白 98 g/L ↓（参考 115-150）")
    assert (line["evidence"]["x"], line["evidence"]["quote"]) == (9, "98")
    # The note is one that structuring takes, and the observations are ones of an encounter.
    note = {key: said["note"][key] for key in ("id", "title", "text")}
    structured = client.post(
        "/v1/structured-notes?wait=true",
        json={"patient_id": "pat-1", "notes": [note]},
        headers=HEADERS,
    )
    assert structured.status_code in (200, 202), structured.text
    Encounter.model_validate(
        {"id": "enc-1", "patient": {"id": "pat-1"}, "observations": said["observations"]}
    )
    # A correction changes what the record says; another patient has nothing.
    fix = {"version": 2, "changes": [{"path": "items.0.value", "value": "131"}]}
    client.post(f"/v1/bills/documents/{later}", json=fix, headers=HEADERS)
    other = client.get(url, headers={"X-Patient-Id": "pat-2"}).json()
    assert other["observations"] == []
    assert other["note"] is None


def test_a_file_of_many_pages_comes_in_by_the_api(client: TestClient) -> None:
    pytest.importorskip("pypdfium2")
    pages = [Image.new("RGB", (300, 200), (255, 255, 255)) for _ in range(2)]
    for number, page in enumerate(pages):
        ImageDraw.Draw(page).text((30, 60 + 40 * number), f"page {number} 12.50", fill=(0, 0, 0))
    for form, media in (("PDF", "application/pdf"), ("TIFF", "image/tiff")):
        data = io.BytesIO()
        first, *others = [page.copy() for page in pages]
        first.save(data, form, save_all=True, append_images=others)
        answer = client.post(
            "/v1/bills/files", headers=HEADERS | {"Content-Type": media}, content=data.getvalue()
        )
        assert answer.status_code == 201, answer.text
        assert [page["page"] for page in answer.json()] == [1, 2]
        for page in answer.json():
            assert client.get(f"/v1/attachments/{page['id']}", headers=HEADERS).status_code == 200
    bad = client.post(
        "/v1/bills/files", headers=HEADERS | {"Content-Type": "text/csv"}, content=b""
    )
    assert bad.status_code == 415


def test_what_is_no_bill_is_said_in_a_sentence(client: TestClient) -> None:
    pytest.importorskip("rapidocr")
    media = {suffix: media for media, suffix in BY_TYPE.items()}
    kept_pages = []
    for file in bad_files():
        headers = HEADERS | {"Content-Type": media[Path(file.name).suffix]}
        answer = client.post("/v1/bills/files", headers=headers, content=file.content)
        if file.kept:
            assert answer.status_code == 201, file.name
            kept_pages += answer.json()
        else:
            assert (file.name, answer.status_code) == (file.name, 422)
            assert "。(" in answer.json()["detail"], file.name
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": kept_pages}
    read = client.post("/v1/bills?wait=true", json=body, headers=HEADERS)
    job = client.get(f"/v1/bills/{read.json()['id']}", headers=HEADERS).json()
    warnings = sorted(one for document in job["documents"] for one in document["warnings"])
    assert len(job["documents"]) == len(kept_pages)
    for file in bad_files():
        assert not file.kept or any(file.says in one for one in warnings), file.name
    assert all(document["kind"] == "unknown" for document in job["documents"])
