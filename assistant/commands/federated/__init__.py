"""``bedside federated``: one model from several hospitals, without a record leaving any."""

from __future__ import annotations

import typer

from assistant.commands.federated import keys, lm, ner

app = typer.Typer(
    no_args_is_help=True,
    help="联邦训练 federated training: keys, server, site, lm (pip install 'bedside\\[train]').",
)
app.command(
    epilog="例 Examples: bedside federated keys coordinator --host fed.example.cn --out keys\n\n"
    "bedside federated keys hospital-a --out keys"
)(keys.keys)
app.command(
    epilog="例 Example: bedside federated server --key keys/coordinator.key --sites sites "
    "--out common --host 0.0.0.0 --rounds 20"
)(ner.server)
app.command(
    epilog="例 Example: bedside federated site https://fed.example.cn:8443 "
    "--key keys/hospital-a.key --coordinator coordinator.pem "
    "--train train.bio.txt --dev dev.bio.txt --out common"
)(ner.site)
_lm = typer.Typer(
    no_args_is_help=True,
    help="语言模型的 LoRA 适配器 an adapter of a language model: server, site.",
)
_lm.command(
    epilog="例 Example: bedside federated lm server --model Qwen2.5-0.5B-Instruct "
    "--key keys/coordinator.key --sites sites --out common --host 0.0.0.0"
)(lm.server)
_lm.command(
    epilog="例 Example: bedside federated lm site https://fed.example.cn:8443 "
    "--model Qwen2.5-0.5B-Instruct --data qa/train.jsonl "
    "--key keys/hospital-a.key --coordinator coordinator.pem --out common"
)(lm.site)
app.add_typer(_lm, name="lm")
