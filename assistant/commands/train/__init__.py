"""``bedside train``: tune a language model; train an encoder, entities, relations, segmentation."""

from __future__ import annotations

import typer

from assistant.commands.train import (
    export,
    lm,
    ner,
    pretrain,
    relation,
    score,
    segmentation,
    split,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Training: language models, encoders, entities, segmentation "
    "(pip install 'bedside\\[train]').",
)
app.command(
    epilog="例 Example: bedside train split notes.jsonl --out parts",
)(split.split)
app.command(
    epilog="例 Example: bedside train pretrain --data notes.bio.txt --cmekg pycmekg.tar.gz "
    "--out encoder",
)(pretrain.pretrain)
app.command(
    epilog="例 Examples: bedside train ner --from encoder --train train.bio.txt --dev dev.bio.txt "
    "--out ner\n\n"
    "bedside train ner --from encoder --train notes=a.bio.txt --dev notes=b.bio.txt "
    "--train questions=c.jsonl --dev questions=d.jsonl --out ner",
)(ner.ner)
app.command(
    epilog="例 Example: bedside train relation --from ner --train train.jsonl --dev dev.jsonl "
    "--out relations",
)(relation.relation)
app.command(
    epilog="例 Examples: bedside train export ner --out ner-ov\n\n"
    "bedside train export ner --out ner-int8 --weights int8 --calibration dev.bio.txt",
)(export.export)
app.command(epilog="例 Example: bedside train score ner-int8 --test test.bio.txt --json")(
    score.score
)
app.command(
    epilog="例 Examples: bedside train lm --model Qwen2.5-0.5B-Instruct --data qa/train.jsonl "
    "--apart dev.jsonl --out adapter\n\n"
    "bedside train lm --model Qwen2.5-0.5B-Instruct --data prefs/train.jsonl --method dpo "
    "--rate 2e-5 --out prefers\n\n"
    "bedside model convert Qwen2.5-0.5B-Instruct --adapter adapter --out tuned",
)(lm.lm)
app.command(
    epilog="例 Examples: bedside train segmentation livers --names 肝 --modality CT --out liver\n\n"
    "bedside train segmentation livers --network unet3d --patch 64,96,96 --epochs 100 --out liver",
)(segmentation.segmentation)
app.command(
    epilog="例 Example: bedside train organs --count 20 --out organs",
)(segmentation.organs)
