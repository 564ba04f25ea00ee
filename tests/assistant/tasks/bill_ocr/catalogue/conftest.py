"""A small list with neighbours that are easily taken for one another."""

from __future__ import annotations

import pytest

from assistant.tasks.bill_ocr.catalogue.building import build
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.search import Catalogue

ROWS = (
    ("D1", "阿莫西林胶囊", "0.25g*24粒", "胶囊剂", "哈药集团制药有限公司", "阿莫仙"),
    ("D2", "阿莫西林胶囊", "0.5g*24粒", "胶囊剂", "哈药集团制药有限公司", ""),
    ("D3", "阿洛西林胶囊", "0.25g*24粒", "胶囊剂", "齐鲁制药有限公司", ""),
    ("D4", "头孢曲松钠注射剂", "1.0g", "", "罗欣药业", ""),
    ("D5", "甲硝唑片", "0.2g*100片", "片剂", "华北制药", ""),
    ("D6", "甲硝唑注射液", "100ml:0.5g", "注射剂", "华北制药", ""),
    ("D7", "硝苯地平缓释片", "20mg*30片", "缓释片", "拜耳医药", "拜新同"),
    ("D8", "硝苯地平片", "10mg*100片", "片剂", "", ""),
    ("D9", "维生素B1片", "10mg*100片", "片剂", "", ""),
    ("D10", "维生素B6片", "10mg*100片", "片剂", "", ""),
    ("S1", "头部CT平扫", "", "", "", ""),
    ("S2", "头部CT增强扫描", "", "", "", ""),
    ("S3", "血细胞分析", "", "", "", ""),
    ("C1", "可吸收缝线", "3-0", "", "强生", ""),
    ("C2", "不可吸收缝线", "3-0", "", "强生", ""),
    ("M1", "氯化钠注射液", "100ml:0.9g", "注射剂", "科伦药业股份有限公司", ""),
    ("M2", "氯化钠注射液", "100ml:0.9g", "注射剂", "石药集团有限公司", ""),
)


@pytest.fixture(scope="package")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite"
    entries = [
        Entry(code=c, name=n, specification=s, form=f, maker=m, brand=b, category="甲", list="a")
        for c, n, s, f, m, b in ROWS
    ]
    assert build(path, entries) == len(ROWS)
    return Catalogue(path)
