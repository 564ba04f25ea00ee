"""The measure of alerts: it sees a rule that misses, and one that cries wolf."""

from __future__ import annotations

import json
import random
from pathlib import Path

from typer.testing import CliRunner

from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import Sample, shipped_rules
from assistant.cli import app
from assistant.record.encounter import Encounter
from eval.clinical.alerts.measure import judge, of_clean, summarize
from eval.clinical.alerts.seeding import seed_into, trials
from eval.clinical.record_qc.clean import clean_encounters

RULES = {key: shipped_rules()[key] for key in ("allergy", "warfarin-azole", "pending-at-discharge")}
BASES = [Encounter.model_validate(e.model_dump()) for e in clean_encounters(10, 1)]


def test_every_case_is_put_into_a_record() -> None:
    made = list(trials(RULES, BASES, 1, 1))
    cases = sum(len(r.cases.fires) + len(r.cases.quiet) for r in RULES.values())
    assert len(made) >= 0.8 * cases
    again = list(trials(RULES, BASES, 1, 1))
    assert [t.encounter.record_hash() for t in made] == [t.encounter.record_hash() for t in again]
    assert all(t.encounter.record_hash() != t.base.record_hash() for t in made if t.speaks)


def test_a_stay_that_is_not_over_has_no_discharge() -> None:
    made = seed_into(BASES[0], Sample(drugs=("华法林钠片 3mg",)), random.Random(1), leaves=False)
    assert made.discharged_at is None
    assert not [m for m in made.medications if m.discharge]
    assert "华法林钠片" in [m.name for m in made.medications]


def test_a_rule_that_misses_and_one_that_cries_wolf_are_seen() -> None:
    made = list(trials(RULES, BASES, 1, 1))
    right = judge(made, RULES)
    deaf = {**RULES, "warfarin-azole": RULES["warfarin-azole"].model_copy(
        update={"when": RULES["allergy"].when})}  # fmt: skip
    loud = {**RULES, "warfarin-azole": RULES["warfarin-azole"].model_copy(
        update={"when": RULES["warfarin-azole"].when[:1]})}  # fmt: skip
    said = of_clean(BASES, RULES)
    whole = summarize(right, said, seed=1).scores
    assert whole["recall"] > summarize(judge(made, deaf), said, seed=1).scores["recall"]
    assert whole["specificity"] > summarize(judge(made, loud), said, seed=1).scores["specificity"]


def test_the_measure_counts_what_interrupts() -> None:
    base = BASES[0]
    seeded = seed_into(
        base,
        Sample(drugs=("单硝酸异山梨酯片", "枸橼酸西地那非片"), age=50),
        random.Random(1),
        leaves=False,
    )
    assert any(a.interruptive for a in alerts_of(seeded, shipped_rules()))
    clean = summarize([], of_clean([base, seeded], shipped_rules()), seed=1).scores["clean"]
    assert clean < 100


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "alerts"
    wanted = ["--each", "1", "--clean", "10", "--quiet", "--json", "--require", "recall>=90"]
    said = CliRunner().invoke(app, ["eval", "alerts", "--out", str(out), *wanted])
    assert said.exit_code == 0, said.output
    scores = json.loads((out / "result.json").read_text("utf-8"))["scores"]
    assert scores["clean"] >= 90, "at most one that interrupts in ten clean encounters"
    assert scores["specificity"] >= 90
