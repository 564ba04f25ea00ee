"""``bedside eval``: every evaluation, and the reports of it."""

from __future__ import annotations

import typer

from eval.commands.assertion import assertion
from eval.commands.checker import checker
from eval.commands.compare import compare
from eval.commands.differential import differential
from eval.commands.discharge import discharge
from eval.commands.overlap import overlap
from eval.commands.quantisation import quantisation
from eval.commands.report import report
from eval.commands.retrieval import retrieval
from eval.commands.run import run
from eval.commands.score import score
from eval.commands.structuring import structuring

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
app.command(
    epilog="Example: bedside eval differential --cases cases.jsonl --folder /srv/models/glm "
    "--out ddx --require 'top5>=60'"
)(differential)
app.command(
    epilog="Example: bedside eval assertion --data snippets.jsonl --require 'denied_kept>=100'"
)(assertion)
app.command(epilog="Example: bedside eval checker --out checker --require 'recall>=90'")(checker)
app.command(
    epilog="Example: bedside eval discharge --folder /srv/models/glm --out discharge "
    "--require 'faithfulness>=90'"
)(discharge)
app.command(epilog="Example: bedside eval retrieval --out retrieval --require 'recall10>=80'")(
    retrieval
)
app.command(
    epilog="Example: bedside eval quantisation --folder fp16 --folder int4 --data dev.jsonl "
    "--text notes.txt --out int4"
)(quantisation)
app.command(
    epilog="Example: bedside eval structuring --gold notes.jsonl --what entities --out structuring "
    "--require 'entities>=85'"
)(structuring)
