"""A small curated base of two entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.entry import entry_files, read_entries
from knowledge.clinical.vocabulary import read_vocabulary

FINDINGS = """\
# a comment
发热\tsymptom\t发烧|体温升高
胸痛\tsymptom\t胸口痛
胸骨后压榨样疼痛\tsymptom\t(胸骨后/心前区)…(压榨/紧缩)(性/样/)…(疼痛/痛/感)\t胸痛
大汗\tsymptom\t大汗淋漓
水肿\tsign\t浮肿
下肢水肿\tsign\t下肢…水肿\t水肿
肺水肿\timaging\t
右上腹压痛\tsign\t(右上腹/右季肋部)…(压痛/触痛)
ST段抬高\tecg\tST段…抬高
胸膜摩擦音\tsign\t
吸烟\thistory\t吸烟史
咳嗽\tsymptom\t
肺部湿啰音\tsign\t湿啰音
"""
ANALYTES = """\
肌钙蛋白\t肌钙蛋白I|cTnI|高敏肌钙蛋白\tquantity
白细胞\tWBC\tquantity
血钾\t钾|K\tquantity
脑脊液白细胞\t\tquantity
蛋白\t\tqualitative
尿蛋白\t\tqualitative
体温\tT\tvital
血压\tBP\tvital
中性粒细胞\tN\tquantity
中性粒细胞百分比\t\tquantity
血红蛋白\tHb\tquantity
HLA-B27\t\tqualitative
"""
ENTRIES = """\
- name: 急性心肌梗死
  names: [心肌梗死, AMI]
  icd10: [I21]
  departments: [心血管内科]
  common: 4
  critical: true
  age: [25, 105, 45, 80]
  sex: mostly male
  onset: [sudden, hours]
  history: {吸烟: 3/1}
  symptoms: {胸骨后压榨样疼痛: 4/3, 胸痛: 5/2, 大汗: 3/1}
  tests: {ST段抬高: 4/4, 肌钙蛋白升高: 5/4}
  against: [胸膜摩擦音]
  settles: [[胸痛, 肌钙蛋白升高]]
  alarms: [[大汗, 水肿], [ST段抬高]]
  differentials: {肺炎: 发热、咳嗽在前}
  confirm: [冠状动脉造影]
  red_flags: 持续胸痛超过20分钟
  exclude: 系列肌钙蛋白无变化
  management: [尽早再灌注]
  cautions: {合并:活动性出血: 禁忌溶栓}
  sources: [内科学 第9版 2018]
- name: 肺炎
  icd10: [J18]
  common: 5
  symptoms: {发热: 4/1, 咳嗽: 5/1, 胸痛: 2/1}
  signs: {肺部湿啰音: 4/2}
  tests: {白细胞升高: 4/1}
  sources: [内科学 第9版 2018]
"""


def write_folder(folder: Path, findings: str = FINDINGS, entries: str = ENTRIES) -> Path:
    """A folder of a base with these tables."""
    (folder / "findings").mkdir(parents=True)
    (folder / "diseases").mkdir()
    (folder / "findings" / "all.tsv").write_text(findings, encoding="utf-8")
    (folder / "diseases" / "all.yaml").write_text(entries, encoding="utf-8")
    (folder / "analytes.tsv").write_text(ANALYTES, encoding="utf-8")
    return folder


@pytest.fixture
def base(tmp_path: Path) -> ClinicalBase:
    folder = write_folder(tmp_path / "clinical")
    entries, faults = read_entries(entry_files(folder))
    assert not faults
    return ClinicalBase(entries, read_vocabulary([folder]))
