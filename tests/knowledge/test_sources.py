from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from knowledge.sources import CMeKG, DiseaseRecords, Guidelines, Icd10Table, Relation, SourceError

GRAPH: dict[str, Any] = {
    "肺炎": {
        "常见症状": ["发热", "咳嗽"],
        "ICD10": ["J18.9"],
        "分类": ["错"],
        "就诊科室": ["呼吸科"],
    },
    "阿莫西林胶囊": {"适应症": ["肺炎"], "分类": ["麻醉药品"], "药品监管分级": ["麻醉药品"]},
}


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must never run",))


def archive(path: Path, data: Any) -> Path:
    raw = pickle.dumps(data)
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo("PyCMeKG-0.2.5/pyCMeKG/model/cmekg.pkl")
        member.size = len(raw)
        file.addfile(member, io.BytesIO(raw))
    return path


def test_cmekg_keeps_only_checked_predicates(tmp_path: Path) -> None:
    facts = list(CMeKG(archive(tmp_path / "cmekg.tar.gz", GRAPH)).facts())
    assert {(f.subject, f.relation, f.object) for f in facts} == {
        ("肺炎", Relation.SYMPTOM, "发热"),
        ("肺炎", Relation.SYMPTOM, "咳嗽"),
        ("肺炎", Relation.ICD10, "J18.9"),
        ("肺炎", Relation.DEPARTMENT, "呼吸科"),
        ("阿莫西林胶囊", Relation.INDICATION, "肺炎"),
    }
    assert all(f.source.name == "CMeKG" and f.key.startswith(f.subject) for f in facts)


def test_cmekg_reads_a_wheel_and_a_bare_file_alike(tmp_path: Path) -> None:
    bare = tmp_path / "cmekg.pkl"
    bare.write_bytes(pickle.dumps(GRAPH))
    wheel = tmp_path / "pycmekg.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.write(bare, "pyCMeKG/model/cmekg.pkl")
    triples = list(CMeKG(bare).triples())
    assert triples == list(CMeKG(wheel).triples())
    assert len(triples) == 8


def test_cmekg_refuses_anything_but_plain_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = CMeKG(archive(tmp_path / "bad.tar.gz", {"肺炎": {"常见症状": [Harmful()]}}))
    with pytest.raises(SourceError, match="not plain data"):
        list(source.facts())
    assert "never run" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(["a list"])])
def test_cmekg_refuses_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cmekg.pkl"
    path.write_bytes(content)
    with pytest.raises(SourceError):
        list(CMeKG(path).facts())


def test_cmekg_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        list(CMeKG(tmp_path / "absent.tar.gz").facts())


@pytest.mark.parametrize("packed", [True, False])
def test_disease_records_plain_and_packed(tmp_path: Path, packed: bool) -> None:
    line = json.dumps(
        {
            "name": "百日咳",
            "desc": "一种咳嗽，阵发。",
            "has_complication": ["肺不张"],
            "susceptible_people": "多见于小儿",
            "symptom_data": {"symptoms": ["干咳", "惊厥"]},
            "inspect_info": ["血常规"],
            "treat_cost": "很多",
        },
        ensure_ascii=False,
    ).encode()
    path = tmp_path / ("d.jsonl.gz" if packed else "d.jsonl")
    path.write_bytes(gzip.compress(line) if packed else line)
    facts = {(f.relation, f.object) for f in DiseaseRecords(path).facts()}
    assert facts == {
        (Relation.DESCRIPTION, "一种咳嗽，阵发。"),
        (Relation.COMPLICATION, "肺不张"),
        (Relation.POPULATION, "多见于小儿"),
        (Relation.SYMPTOM, "干咳"),
        (Relation.SYMPTOM, "惊厥"),
        (Relation.TEST, "血常规"),
    }


@pytest.mark.parametrize("line", ["{", "[]", '{"name": ""}', '{"name": 3}', '{"title": "肺炎"}'])
def test_disease_records_say_which_line_is_wrong(tmp_path: Path, line: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"name": "肺炎"}\n' + line, encoding="utf-8")
    with pytest.raises(SourceError, match=r"d\.jsonl, line 2"):
        list(DiseaseRecords(path).facts())


def test_icd10_tables_with_and_without_a_header(tmp_path: Path) -> None:
    headed, bare = tmp_path / "a.tsv", tmp_path / "b.tsv"
    headed.write_text("疾病诊断编码\t疾病诊断名称\nA00.000x001\t古典生物型霍乱\n", encoding="utf-8")
    bare.write_text("A00\t霍乱\t\t\t\nA00.001\t古典生物型霍乱\t\t\t\n", encoding="utf-8")
    assert [(f.object, f.subject) for f in Icd10Table(headed).facts()] == [
        ("A00.000x001", "古典生物型霍乱")
    ]
    assert [f.object for f in Icd10Table(bare).facts()] == ["A00", "A00.001"]


def test_icd10_table_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("code\tname\nhello\tworld\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 2"):
        list(Icd10Table(path).facts())


def test_guidelines_are_cut_by_heading(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# 发热\n\n先说。\n\n## 用药\n\n" + "对乙酰氨基酚可以用。" * 60, encoding="utf-8"
    )
    passages = list(Guidelines(tmp_path).passages())
    assert passages[0].title == "发热"
    assert {p.title for p in passages[1:]} == {"发热 › 用药"}
    assert all(len(p.text) <= 400 for p in passages)
    assert "".join(p.text for p in passages[1:]) == "对乙酰氨基酚可以用。" * 60
    assert len({p.id for p in passages}) == len(passages)


def test_guidelines_as_pdf_only_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    with pytest.raises(SourceError, match="Markdown"):
        list(Guidelines(tmp_path).passages())


RULE = "# 院内抗凝规范\n\n目标INR为2.0~3.0。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("name", ["抗凝.md", "抗凝.txt", "抗凝.MD"])
def test_guidelines_in_every_usual_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / name).write_bytes(RULE.encode(encoding))
    (passage,) = Guidelines(tmp_path).passages()
    assert (passage.title, passage.text) == ("院内抗凝规范", "目标INR为2.0~3.0。")


def test_a_damaged_place_does_not_make_utf_8_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(("# 抗凝\n" + "目标INR为2.0~3.0。" * 40).encode() + b"\xff\xe7")
    text = "".join(passage.text for passage in Guidelines(tmp_path).passages())
    assert text.startswith("目标INR为2.0~3.0。")


def test_guidelines_as_web_pages(tmp_path: Path) -> None:
    page = (
        "<html><head><title>页</title><style>p{}</style></head><body><h1>抗凝</h1><script>x()"
        "</script><h2>目标 &amp; 监测</h2><p>INR 为\n2.0~3.0。</p><ul><li>每周复查</li></ul>"
        "<table><tr><td>出血</td><td>停药</td></tr></table></body></html>"
    )
    (tmp_path / "a.html").write_bytes(page.encode("gb18030"))
    (passage,) = Guidelines(tmp_path).passages()
    assert passage.title == "抗凝 › 目标 & 监测"
    assert passage.text.split("\n")[0] == "INR 为 2.0~3.0。"
    assert "- 每周复查" in passage.text
    assert "出血 | 停药" in passage.text
    assert "x()" not in passage.text


def test_what_is_left_out_of_the_guidelines_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(RULE, encoding="utf-8")
    (tmp_path / "卒中.pdf").write_bytes(b"%PDF-")
    (tmp_path / "房颤.docx").write_bytes(b"PK")
    (tmp_path / "image.md").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff\xff" * 9)
    (tmp_path / "empty.txt").write_text(" \n", encoding="utf-8")
    (tmp_path / "x.xyz").write_text("x", encoding="utf-8")
    (tmp_path / ".hidden.md").write_text(RULE, encoding="utf-8")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    guidelines = Guidelines(tmp_path)
    assert [path.name for path in guidelines.files] == ["good.md"]
    assert [line.split(":")[0] for line in guidelines.left_out] == [
        "empty.txt",
        "image.md",
        "x.xyz",
        "卒中.pdf",
        "房颤.docx",
    ]
    assert all(".txt" in line for line in guidelines.left_out[2:])
    assert len(list(guidelines.passages())) == 1


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count"),
    [("icd10_national_clinical_v2", 35862), ("icd10_beijing_clinical_v601", 40474)],
)
def test_whole_icd10_tables(name: str, count: int) -> None:
    path = Path(__file__).parents[2] / "../shared/data/kb" / f"{name}.tsv"
    if not path.exists():
        pytest.skip(f"{name}.tsv is not beside the checkout")
    assert 0.9 * count <= sum(1 for _ in Icd10Table(path).facts()) <= count


@pytest.mark.shared
def test_whole_disease_records() -> None:
    path = Path(__file__).parents[2] / "../shared/data/kb/disease_kg_8792.jsonl.gz"
    if not path.exists():
        pytest.skip("disease_kg_8792.jsonl.gz is not beside the checkout")
    subjects = {fact.subject for fact in DiseaseRecords(path).facts()}
    assert len(subjects) > 8700
