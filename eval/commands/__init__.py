"""Measure a model, a prompt or a precision before a doctor meets it. 模型评测"""

from __future__ import annotations

from assistant.lazy_commands import Row, lazy_app

COMMANDS = (
    Row(
        "run",
        "eval.commands.run:run",
        "Ask a model every sample and score its answers; run it again to go on where it stopped.",
        "Example: bedside eval run --data dev.jsonl --folder /srv/models/glm --out runs/glm",
    ),
    Row(
        "score",
        "eval.commands.score:score",
        "Score answers; by default a missing or unreadable answer counts as wrong and is reported.",
        "Example: bedside eval score --gold dev.jsonl --pred answers.jsonl --json",
    ),
    Row(
        "report",
        "eval.commands.report:report",
        "Write the report: scores with intervals, confusion, worst answers, cost, hashes.",
        "Example: bedside eval report runs/glm --out glm.html",
    ),
    Row(
        "compare",
        "eval.commands.compare:compare",
        "Paired tests of B − A by task and overall, Holm's correction, non-inferiority.",
        "Example: bedside eval compare runs/fp16 runs/int4 --margin 1 --out int4.html",
    ),
    Row(
        "overlap",
        "eval.commands.overlap:overlap",
        "Exact and n-gram overlap, not counting the wording that the task's prompts share.",
        "Example: bedside eval overlap train.jsonl dev.jsonl",
    ),
    Row(
        "differential",
        "eval.commands.differential:differential",
        "Rank cases by the knowledge base, ask the model that is named (if any), and score both.",
        "Example: bedside eval differential --cases cases.jsonl --folder /srv/models/glm "
        "--out ddx --require 'top5>=60'",
    ),
    Row(
        "assertion",
        "eval.commands.assertion:assertion",
        "Held against labelled mentions: found, polarity, certainty, time, whose.",
        "Example: bedside eval assertion --data snippets.jsonl --require 'denied_kept>=100'",
    ),
    Row(
        "deidentify",
        "eval.commands.deidentify:deidentify",
        "Names, ids, phones, addresses, dates, wards and hospitals: found, replaced, stable.",
        "例 Example: bedside eval deidentify --require 'recall>=99' --require 'kept>=100'",
    ),
    Row(
        "checker",
        "eval.commands.checker:checker",
        "Seed errors of nine types into true statements and see which of them the checker finds.",
        "Example: bedside eval checker --out checker --require 'recall>=90'",
    ),
    Row(
        "discharge",
        "eval.commands.discharge:discharge",
        "Write discharge records by the product's own chain and score what they tell.",
        "Example: bedside eval discharge --folder /srv/models/glm --out discharge "
        "--require 'faithfulness>=90'",
    ),
    Row(
        "retrieval",
        "eval.commands.retrieval:retrieval",
        "Recall and reciprocal rank of the base's search: by words, by vectors, and both together.",
        "Example: bedside eval retrieval --out retrieval --require 'recall10>=80'",
    ),
    Row(
        "quantisation",
        "eval.commands.quantisation:quantisation",
        "Task scores, perplexity, first choices, memory and speed of the same weights, "
        "side by side.",
        "Example: bedside eval quantisation --folder fp16 --folder int4 --data dev.jsonl "
        "--text notes.txt --out int4",
    ),
    Row(
        "omissions",
        "eval.commands.omissions:omissions",
        "Drop known facts from true summaries; recall and precision of the omission check by kind.",
        "Example: bedside eval omissions --out omissions --require 'recall>=90'",
    ),
    Row(
        "record-qc",
        "eval.commands.record_qc:record_qc",
        "Seed defects of all kinds into true encounters; recall and precision by kind, false "
        "marks.",
        "Example: bedside eval record-qc --out qc --require 'least_recall>=90'",
    ),
    Row(
        "record-qa",
        "eval.commands.record_qa:record_qa",
        "Ask the samples and generated stays; exact, partial, wrong and unsafe by kind, and how "
        "long.",
        "Example: bedside eval record-qa --out qa --require 'right>=90' --require 'safe>=100'",
    ),
    Row(
        "alerts",
        "eval.commands.alerts:alerts",
        "Put the cases of all rules into true encounters; recall and false alarms by rule.",
        "Example: bedside eval alerts --out alerts --require 'recall>=95'",
    ),
    Row(
        "structuring",
        "eval.commands.structuring:structuring",
        "Strict precision, recall and F1 of entities, of triples, or of standard terms of "
        "diagnoses.",
        "Example: bedside eval structuring --gold notes.jsonl --what entities --out structuring "
        "--require 'entities>=85'",
    ),
    Row(
        "detection",
        "eval.commands.detection:detection",
        "Simulated chests (and a real CT) with generated nodules: sensitivity at false marks a "
        "scan.",
        "Example: bedside eval detection --scans 20 --out detection "
        "--require 'sensitivity_4fp>=80'",
    ),
    Row(
        "bills",
        "eval.commands.bills:bills",
        "Read generated pages of bills whose truth is known: characters, fields, amounts, doubts.",
        "Example: bedside eval bills --count 60 --out bills --require 'hard.amounts>=99'",
    ),
    Row(
        "perfusion",
        "eval.commands.perfusion:perfusion",
        "Maps of phantoms whose flow, volume, transit and delay are known; errors by noise and "
        "delay.",
        "Example: bedside eval perfusion --out perfusion --require 'cbf>=95'",
    ),
)

app = lazy_app(lambda: COMMANDS, __doc__ or "")
