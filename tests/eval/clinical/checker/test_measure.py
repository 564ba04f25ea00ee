"""What the verdicts come to."""

from __future__ import annotations

from pathlib import Path

import pytest
from knowledge_sample import build_sample

from assistant.record.note import Note
from eval.clinical.checker.measure import SCORES, Verdict, judge, summarize
from eval.clinical.checker.record import Record, note_records, sample_records
from eval.clinical.checker.trial import ErrorKind, Trial, TruthKind
from eval.clinical.checker.trials import make_trials
from eval.errors import InputError
from knowledge.base import KnowledgeBase
from knowledge.text.finding import Span

SPAN = Span(note_id="n", start=0, end=5)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return build_sample(tmp_path_factory.mktemp("base"))


def verdict(kind: ErrorKind | TruthKind, supported: bool, record: str = "a") -> Verdict:
    trial = Trial(record, kind, f"{kind}{supported}", "原来的句子", SPAN)
    return Verdict(trial, supported, () if supported else ("number",))


def test_recall_and_false_alarms_by_type(base: KnowledgeBase) -> None:
    verdicts = [
        *[verdict("number", False)] * 3,
        verdict("number", True),
        verdict("side", False, "b"),
        *[verdict("verbatim", True)] * 9,
        verdict("verbatim", False, "b"),
    ]
    result = summarize(verdicts, records=2, base=base, seed=1)
    assert result.headline.value == pytest.approx(80)
    assert result.scores == pytest.approx(
        {"recall": 80, "passed": 90, "recall:number": 75, "recall:side": 100}
    )
    assert set(result.scores) <= set(SCORES)
    alarms = {f.name: f for f in result.figures if f.group.startswith("误报")}
    assert [f.value for f in alarms.values()] == [pytest.approx(10)]
    for figure in result.figures:
        assert figure.low is not None
        assert figure.high is not None
        assert 0 <= figure.low <= figure.value <= figure.high <= 100
    assert [c.kind for c in result.cases] == ["number", "verbatim"], "what was wrong, missed first"


def test_the_checker_is_asked_as_the_product_asks_it(base: KnowledgeBase) -> None:
    note = Note(id="n", text="入院后予头孢曲松2.0g静脉滴注。")
    record = Record("r", (note,))
    span = Span(note_id="n", start=0, end=15)
    true = Trial("r", "verbatim", "予头孢曲松2.0g静脉滴注。", note.text, span)
    false = Trial("r", "dose", "予头孢曲松4.0g静脉滴注。", note.text, span)
    done: list[int] = []
    found = judge([record], [true, false], base, lambda: done.append(1))
    assert [v.supported for v in found] == [True, False]
    assert all(v.right for v in found)
    assert found[1].problems == ("dose",)
    assert len(done) == 2


def test_the_samples_reach_what_is_said_of_them(base: KnowledgeBase) -> None:
    """Floors, well below what is measured with the whole base; on each third trial, for time."""
    records = sample_records()
    verdicts = judge(records, make_trials(records, 1)[::3], base)
    scores = summarize(verdicts, records=len(records), base=base, seed=1).scores
    assert scores["recall"] >= 95
    assert scores["passed"] >= 85
    assert scores["recall:date"] == 100
    assert scores["recall:dose"] >= 90


def test_notes_of_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text('{"text": "发热3天。"}\n{"text": "咳嗽。"}\n{"other": 1}\n', "utf-8")
    assert [r.id for r in note_records(path, 2)] == ["note-1", "note-2"]
    with pytest.raises(InputError, match="text") as raised:
        list(note_records(path, 3))
    assert raised.value.line == 3
    assert raised.value.field == "text"


def test_a_claim_must_quote_its_record() -> None:
    for record in sample_records():
        text = "\n".join(note.text for note in record.notes)
        assert all(claim.quote in text for claim in record.earlier)
