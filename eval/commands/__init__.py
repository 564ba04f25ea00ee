"""``bedside eval``: run, score, report, compare, overlap."""

from __future__ import annotations

import typer

from eval.commands.compare import compare
from eval.commands.overlap import overlap
from eval.commands.report import report
from eval.commands.run import run
from eval.commands.score import score

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measure a model, a prompt or a precision before a doctor meets it. 模型评测",
)
app.command(
    epilog="Example: bedside eval run --data dev.jsonl --folder /srv/models/glm --out runs/glm"
)(run)
app.command(epilog="Example: bedside eval score --gold dev.jsonl --pred answers.jsonl --json")(
    score
)
app.command(epilog="Example: bedside eval report runs/glm --out glm.html")(report)
app.command(epilog="Example: bedside eval compare runs/fp16 runs/int4 --margin 1 --out int4.html")(
    compare
)
app.command(epilog="Example: bedside eval overlap train.jsonl dev.jsonl")(overlap)
