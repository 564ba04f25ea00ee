"""A cohort through the API: a table posted, its report read, new cases predicted."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from cohort_tables import draw, write
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.work.registry import GROUP, Registry

STUDY = {"X-Patient-Id": "lung-2024"}
POINT = EntryPoint(
    "radiomics_cohort", "assistant.tasks.radiomics.cohort.task:RadiomicsCohort", GROUP
)
QUICK = {
    "outer_folds": 3,
    "inner_folds": 3,
    "selectors": ["lasso"],
    "models": ["logistic"],
}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def workbook(text: str) -> bytes:
    """A CSV text as XLSX."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(
        "<row>"
        + "".join(
            f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in line.split(",")
        )
        + "</row>"
        for line in text.splitlines()
    )
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>'
        "</worksheet>",
    }
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, table: bytes, **more: Any) -> Any:
    body = {"study_id": "lung-2024", "table": encoded(table), "settings": QUICK} | more
    return client.post("/v1/radiomics-cohorts", params={"wait": True}, json=body)


@pytest.fixture(scope="module")
def job(client: TestClient, tables: dict[str, Path]) -> Any:
    """A job as a workbook, with nothing said of its columns."""
    answer = ask(client, workbook(tables["class"].read_text("utf-8")))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_report_comes_with_the_job(job: Any) -> None:
    assert job["status"] == "finished", job["message"]
    assert job["report"]["performance"]["auc"]["value"] > 0.6
    (draft,) = job["drafts"]
    assert "科研用途" in draft["notice"]
    assert "report" not in draft
    assert draft["cases"] == job["report"]["flow"]["used"]


def test_what_each_column_is_was_guessed(job: Any) -> None:
    settings = job["report"]["settings"]
    assert settings["clinical"] == ["性别", "年龄"]
    assert job["report"]["sites"] == ["乙", "甲"]
    assert job["report"]["positive"] == "是"


@pytest.mark.parametrize(
    ("form", "has"),
    [
        ("html", "科研用途"),
        ("markdown", "科研用途"),
        ("json", "科研用途"),
        ("predictions", "病例0"),
    ],
)
def test_the_files_of_a_job(client: TestClient, job: Any, form: str, has: str) -> None:
    place = f"/v1/radiomics-cohorts/{job['id']}/report"
    answer = client.get(place, headers=STUDY, params={"format": form})
    assert answer.status_code == 200
    assert has in answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    other = client.get(place, headers={"X-Patient-Id": "another"}, params={"format": form})
    assert other.status_code == 404


def test_a_report_names_no_case(client: TestClient, job: Any) -> None:
    place = f"/v1/radiomics-cohorts/{job['id']}/report"
    for form in ("html", "markdown", "json"):
        assert "病例0" not in client.get(place, headers=STUDY, params={"format": form}).text


def test_a_new_case_is_predicted_and_explained(
    client: TestClient, job: Any, tmp_path: Path
) -> None:
    new = write(tmp_path / "new.csv", draw(False, cases=2, seed=9)).read_bytes()
    place = f"/v1/radiomics-cohorts/{job['id']}/predict"
    answer = client.post(place, headers=STUDY, json={"table": encoded(new), "id": "编号"})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert "科研用途" in made["purpose"]
    assert [case["id"] for case in made["cases"]] == ["病例0", "病例1"]
    for case in made["cases"]:
        assert 0 <= case["probability"] <= 1
        parts = {part["name"] for part in case["explanation"]["parts"]}
        assert {"f0", "f1"} <= parts
    lacking = client.post(place, headers=STUDY, json={"table": encoded(b"a,b\n1,2\n")})
    assert lacking.status_code == 422
    assert "缺少模型需要的" in lacking.text
    model = client.get(
        f"/v1/radiomics-cohorts/{job['id']}/report", headers=STUDY, params={"format": "model"}
    )
    assert model.content.startswith(b"PK")


def test_nothing_stays_beside_the_store(client: TestClient, job: Any) -> None:
    home = client.app.state.services.settings.home  # type: ignore[attr-defined]
    assert not list((home / "cohorts").iterdir())


def _bomb() -> bytes:
    made = BytesIO()
    packed = zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED)
    with packed, packed.open("xl/workbook.xml", "w") as part:
        for _ in range(700):
            part.write(bytes(1 << 20))
    return made.getvalue()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"", "table"),
        ("复发,f0\n是,1\n是,2\n是,3\n".encode(), "1 类"),
        ("复发,f0\n是,1\n否,2\n是,3\n".encode(), "病例太少"),
        (b"a,b\n1,2\n", "没有找出结局列"),
        (b"\x89PNG\r\n\x1a\n\0\0", "不是文本表格"),
        (b"PK\x03\x04 and no more", "XLSX"),
        ("复发,f0\n是,1e400\n否,2\n".encode(), "无穷大"),
        ("复发,f0\n是,1\n否\n".encode(), "1 格"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    client: TestClient, table: bytes, says: str
) -> None:
    answer = ask(client, table)
    assert answer.status_code == 422
    assert says in answer.text


def test_a_workbook_that_unpacks_to_too_much_is_refused(client: TestClient) -> None:
    answer = ask(client, _bomb())
    assert answer.status_code == 422
    assert "工作簿过大" in answer.text


def test_what_is_no_base64_and_unknown_settings_are_refused(client: TestClient) -> None:
    body = {"study_id": "lung-2024", "table": "复发,f0"}
    assert "base64" in client.post("/v1/radiomics-cohorts", json=body).text
    named = ask(client, "复发,f0\n是,1\n否,2\n".encode(), settings={"path": 1})
    assert named.status_code == 422
    odd = ask(client, "复发,f0\n是,1\n否,2\n".encode(), settings={"outer_folds": 99})
    assert odd.status_code == 422
    assert "outer_folds" in odd.text
