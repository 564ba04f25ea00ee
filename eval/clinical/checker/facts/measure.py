"""The checker's verdicts on drawn facts: false ones supported and true ones refused, by kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.grounding.checker import FindingsOf, checker
from eval.clinical.checker.facts.draw import Draw
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.run.identity import texts_digest

FAILURES = "failures.jsonl"
MOST_CASES = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """A draw with the checker's verdict; ``problems`` are the kinds that it names."""

    draw: Draw
    supported: bool
    problems: tuple[str, ...]

    @property
    def right(self) -> bool:
        """A true statement passes and a false one does not."""
        return self.supported == self.draw.true


def judge_draws(
    draws: Iterable[Draw], findings_of: FindingsOf, judged: Callable[[], None] = lambda: None
) -> list[Judged]:
    """Check every draw as the product does; ``judged`` is called after each."""
    found = []
    for draw in draws:
        verdict = checker(draw.record, findings_of).check(draw.statement)
        problems = tuple(dict.fromkeys(p.kind for p in verdict.problems))
        found.append(Judged(draw, verdict.status == "supported", problems))
        judged()
    return found


def summarize_draws(found: Sequence[Judged], *, seed: int, command: str = "") -> ClinicalResult:
    """The result, as it is written and shown."""
    false = [j for j in found if not j.draw.true]
    true = [j for j in found if j.draw.true]
    recall = _rate("错误检出率 recall", false, supported=False)
    refused = _rate("误报率 false alarms", true, supported=False)
    return ClinicalResult(
        kind="checker",
        title="事实核对：抽取的事实 Drawn facts",
        headline=recall,
        scores={"recall": recall.value, "passed": 100 - refused.value},
        figures=[recall, refused],
        tables=[
            _table("错误陈述 False statements", "误判有据 supported", false, supported=True),
            _table("真实陈述 True statements", "误报 refused", true, supported=False),
        ],
        cases=[_case(j) for j in _failures(found)[:MOST_CASES]],
        notes=[
            f"{len(false)} 条错误陈述，{len(true)} 条真实陈述，随机种子 {seed}。"
            f" ({len(false)} false and {len(true)} true statements.)",
        ],
        hashes={"draws": texts_digest(f"{j.draw.record}\t{j.draw.statement}" for j in found)},
        command=command,
        sources=["eval/clinical/data/checker/facts.yaml"],
    )


def write_failures(found: Sequence[Judged], folder: Path) -> Path:
    """Every wrong verdict as a line of JSON, false statements that were supported first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FAILURES
    with path.open("w", encoding="utf-8") as file:
        for one in _failures(found):
            row = asdict(one.draw) | {"problems": list(one.problems)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _failures(found: Sequence[Judged]) -> list[Judged]:
    return sorted((j for j in found if not j.right), key=lambda j: j.draw.true)


def _rate(name: str, found: Sequence[Judged], *, supported: bool) -> Figure:
    counts = {str(n): (int(j.supported is supported), 1) for n, j in enumerate(found)}
    return share(name, counts)


def _table(title: str, column: str, found: Sequence[Judged], *, supported: bool) -> Table:
    """``column`` counts the verdicts that are wrong."""
    total = Counter((j.draw.family, j.draw.kind) for j in found)
    wrong = Counter((j.draw.family, j.draw.kind) for j in found if j.supported is supported)
    rows = [
        [family, kind, str(n), str(wrong[family, kind]), f"{100 * wrong[family, kind] / n:.2f} %"]
        for (family, kind), n in sorted(total.items())
    ]
    return Table(title=title, columns=["事实 fact", "改动 change", "n", column, "%"], rows=rows)


def _case(one: Judged) -> Case:
    return Case(
        id=f"{one.draw.family}: {one.draw.kind}",
        kind=one.draw.family,
        given=one.draw.record,
        expected="supported" if one.draw.true else "unsupported",
        answer=one.draw.statement,
        note="、".join(one.problems),
    )
