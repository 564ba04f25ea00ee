"""How a clause means its matter."""

from __future__ import annotations

import pytest

from assistant.grounding.stance import clause_stances, stance_rows, stances


@pytest.mark.parametrize("row", stance_rows(), ids=lambda row: str(row[0]))
def test_every_row_has_its_example_and_not_its_counter_example(row: list[str]) -> None:
    name, _, example, other = row
    assert name in stances(example)
    assert name not in stances(other)


def of(sentence: str, mark: str = "，") -> list[set[str]]:
    parts, at, ranges = sentence.split(mark), 0, []
    for part in parts:
        ranges.append((at, at + len(part)))
        at += len(part) + 1
    return [set(found) for found in clause_stances(sentence, ranges)]


def test_a_relative_is_spoken_of_until_the_patient_is_named() -> None:
    assert of("父亲患高血压，糖尿病，患者体健") == [{"family"}, {"family"}, set()]


def test_a_refusal_is_of_its_own_object_or_of_all_before_it() -> None:
    assert of("今日行血液透析，患者拒绝行肠镜检查") == [set(), {"refused"}]
    assert all("refused" in found for found in of("建议行冠脉造影，患者拒绝"))
