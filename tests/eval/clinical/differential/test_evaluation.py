"""The panel over cases: the ranking, a model, a killed run."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.record.case import Case
from assistant.record.patient import Patient
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.evaluation import Model, evaluate
from eval.clinical.differential.measure import SCORES
from eval.clinical.differential.members import ANSWERS, Asking
from eval.errors import EvalError
from eval.report.clinical import result_html
from eval.run.asking import Patience
from eval.run.model import OpenModel
from knowledge.base import KnowledgeBase
from serving.engine import Chunk, Prompt, Sampling, Usage
from serving.engines.echo import EchoEngine


def case(key: str, text: str, *gold: str) -> DiagnosisCase:
    return DiagnosisCase(key, Case(patient=Patient(id="p"), encounter_id="e", text=text), gold)


CASES = [
    case("a", "患者转移性右下腹痛半天，伴发热、恶心呕吐。", "急性阑尾炎"),
    case("b", "考虑普通感冒。流涕、打喷嚏、咽痛三天。", "上呼吸道感染"),
    case("c", "多饮、多尿、多食，体重下降。", "2型糖尿病"),
]


def reply(*names: str) -> str:
    return json.dumps({"diagnoses": [{"name": name} for name in names]}, ensure_ascii=False)


def answers(prompt: str) -> str:
    """Right at the first place, right at the second by an alias, and not at all."""
    if "右下腹" in prompt:
        return reply("急性阑尾炎", "肾结石")
    if "打喷嚏" in prompt:
        assert "感冒" not in prompt.split("打喷嚏")[0].splitlines()[-1]
        return reply("过敏性鼻炎", "普通感冒")
    return reply("肺炎")


def model(engine: EchoEngine) -> Model:
    patience = Patience(attempts=2, first_pause=0.0)
    asking = Asking(engine, "evidence", patience=patience, parallel=2, quiet=True)
    return Model(OpenModel(engine), asking)


class Failing(EchoEngine):
    """Answers; where ``fails`` says so of the prompt, breaks off instead."""

    def __init__(self, fails: Callable[[str], bool]) -> None:
        super().__init__(answers)
        self.fails = fails
        self.asked = 0

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self.asked += 1
        if self.fails(prompt if isinstance(prompt, str) else prompt[-1].content):
            yield Chunk(reply("2型糖尿病"), finish_reason="cancelled", usage=Usage(1, 1))
            return
        async for chunk in super().generate(prompt, sampling, schema):
            yield chunk


def test_the_ranking_alone(base: KnowledgeBase, tmp_path: Path) -> None:
    found = evaluate(CASES, base, tmp_path)
    result = found.result
    assert not found.unfinished
    assert set(result.scores) == set(SCORES)
    for prefix in ("", "alias_", "exact_"):
        tops = [result.scores[f"{prefix}top{k}"] for k in (1, 3, 5)]
        assert tops == sorted(tops)
        assert tops[0] <= result.scores[f"{prefix}mrr"] <= tops[2] + 100 / len(CASES)
    assert result.scores["exact_top5"] <= result.scores["alias_top5"] <= result.scores["top5"]
    assert result.scores["top5"] == result.headline.value
    assert {figure.n for figure in result.figures} == {3}
    assert any("1/3" in note for note in result.notes)
    assert not (tmp_path / ANSWERS).exists()
    assert "普通感冒。" not in result_html(result)


def test_a_model_beside_it(base: KnowledgeBase, tmp_path: Path) -> None:
    result = evaluate(CASES, base, tmp_path, model(EchoEngine(answers)), command="x").result
    assert result.scores["exact_top1"] == pytest.approx(100 / 3, abs=1e-3)
    assert result.scores["top1"] == pytest.approx(100 / 3, abs=1e-3)
    assert result.scores["exact_top5"] == pytest.approx(100 / 3, abs=1e-3)
    assert result.scores["alias_top3"] == pytest.approx(200 / 3, abs=1e-3)
    assert result.scores["mrr"] == pytest.approx(50)
    assert result.scores["exact_mrr"] == pytest.approx(100 / 3, abs=1e-3)
    assert "knowledge.top5" in result.scores
    assert result.tables[0].rows[0][1:] == ["1", "1", "0", "1"]
    assert [wrong.id for wrong in result.cases] == ["c", "b"]
    assert result.cases[0].answer == "1. 肺炎"
    assert result.model["name"] == "echo"
    assert {"data", "knowledge", "model", "prompts", "answers"} == set(result.hashes)


def test_a_killed_run_goes_on(base: KnowledgeBase, tmp_path: Path) -> None:
    broken = Failing(lambda prompt: "多饮" in prompt)
    first = evaluate(CASES, base, tmp_path, model(broken))
    assert first.unfinished
    # What was broken off names the gold, and is no answer all the same.
    assert first.result.scores["top5"] == pytest.approx(200 / 3, abs=1e-3)
    assert any("没有答案" in note for note in first.result.notes)
    assert broken.asked == 4
    journal = tmp_path / ANSWERS
    kept = journal.read_text("utf-8")
    journal.write_text(kept + '{"sample_id": "c", "diagn', "utf-8")
    whole = Failing(lambda prompt: False)
    second = evaluate(CASES, base, tmp_path, model(whole))
    assert not second.unfinished
    assert whole.asked == 1
    assert journal.read_text("utf-8").startswith(kept)
    fresh = evaluate(CASES, base, tmp_path / "fresh", model(Failing(lambda prompt: False)))
    assert fresh.result.scores == second.result.scores


def test_another_run_in_the_folder_is_refused(base: KnowledgeBase, tmp_path: Path) -> None:
    evaluate(CASES, base, tmp_path, model(EchoEngine(answers)))
    with pytest.raises(EvalError, match="data_sha256"):
        evaluate(CASES[:2], base, tmp_path, model(EchoEngine(answers)))


def test_an_answer_that_names_nothing_is_a_miss_and_counted(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    engine = EchoEngine(lambda prompt: '{"diagnoses": []}')
    found = evaluate(CASES, base, tmp_path, model(engine))
    assert not found.unfinished
    assert found.result.scores["top5"] == 0
    assert any("3 answers name no diagnosis" in note for note in found.result.notes)


def test_an_error_of_the_chain_is_no_answer_and_says_nothing_of_the_case(
    base: KnowledgeBase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(prompt: str) -> str:
        raise ZeroDivisionError("右下腹痛")

    found = evaluate(CASES, base, tmp_path, model(EchoEngine(fail)))
    assert found.unfinished
    assert "ZeroDivisionError" in caplog.text
    assert "右下腹" not in caplog.text
    assert (tmp_path / ANSWERS).read_text("utf-8") == ""


def test_a_prompt_that_is_too_long_is_final(base: KnowledgeBase, tmp_path: Path) -> None:
    engine = EchoEngine(answers, context_length=100)
    found = evaluate(CASES, base, tmp_path, model(engine))
    assert not found.unfinished
    assert found.result.scores["top5"] == 0
    assert any("prompt too long" in note for note in found.result.notes)


def test_answers_are_left_for_others_to_score(base: KnowledgeBase, tmp_path: Path) -> None:
    evaluate(CASES, base, tmp_path / "run", model(EchoEngine(answers)))
    lines = (tmp_path / "run" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["id"], row["gold"]) for row in rows[::2]] == [(c.id, [*c.gold]) for c in CASES]
    assert {row["member"] for row in rows} == {"echo（evidence）", "知识库排序 knowledge ranking"}
    for row in rows:
        assert set(row) == {"id", "gold", "member", "ranked", "critical"}
        for one in row["ranked"]:
            assert set(one) == {"name", "aliases", "icd10", "probability"}


def test_what_must_not_be_missed_is_counted(base: KnowledgeBase, tmp_path: Path) -> None:
    text = "突发胸骨后压榨样疼痛伴大汗2小时。"
    infarct = replace(case("m", text, "急性心肌梗死"), kind="typical", critical=("急性心肌梗死",))
    missed = replace(case("n", "多饮、多尿。", "肺栓塞"), kind="atypical", critical=("肺栓塞",))
    benign = replace(case("o", "流涕、打喷嚏三天。", "普通感冒"), kind="mimic")
    result = evaluate([infarct, missed, benign], base, tmp_path / "run").result
    figures = {f.name: f.value for f in result.figures if f.group.startswith("不可漏诊")}
    assert figures["不可漏诊已提示 named, 典型 typical"] == 100
    assert figures["不可漏诊已提示 named, 不典型 atypical"] == 0
    assert figures["良性病例每例误提示数 false ones a mimic"] == 0
