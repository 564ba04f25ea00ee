"""Names of drugs in a text."""

from __future__ import annotations

import pytest

from assistant.grounding.drugs import DrugNames


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("予氢化可的松静脉滴注", "氢化可的松"),
        ("异丙托溴铵雾化吸入", "异丙托溴铵"),
        ("改用替格瑞洛", "替格瑞洛"),
        ("卡培他滨口服", "卡培他滨"),
        ("予拉氧头孢抗感染", "拉氧头孢"),
        ("口服卡维地洛", "卡维地洛"),
        ("托拉塞米利尿", "托拉塞米"),
        ("改服格列美脲", "格列美脲"),
        ("多西他赛化疗", "多西他赛"),
    ],
)
def test_a_stem_gives_an_unlisted_drug_away_whole(text: str, name: str) -> None:
    assert DrugNames()(text) == [name]


def test_a_known_name_within_another_drug_is_not_that_drug() -> None:
    drugs = DrugNames(["胰岛素注射液", "泼尼松片"])
    assert drugs("予地特胰岛素注射液皮下注射") == ["地特胰岛素注射液"]
    assert drugs("予胰岛素注射液皮下注射") == ["胰岛素注射液"]


def test_places_are_those_of_the_names() -> None:
    text = "停用胰岛素注射液，改门冬胰岛素，加用二甲双胍"
    drugs = DrugNames(["胰岛素注射液"])
    assert {text[a:b] for a, b in drugs.spans(text)} == set(drugs(text))
