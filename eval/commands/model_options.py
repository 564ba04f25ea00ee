"""The options that name a model and how it is asked, the same for every command that asks one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.run.asking import Patience
from eval.run.model import COMPUTES, KV_CACHES

MODEL, PACE = "Model", "Pace"

EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", help="A configured engine; '' is the default one.", rich_help_panel=MODEL
    ),
]
ModelFolder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        exists=True,
        file_okay=False,
        help="An OpenVINO model folder.",
        rich_help_panel=MODEL,
    ),
]
Url = Annotated[
    str,
    typer.Option(
        "--url",
        help="An OpenAI-compatible server, ending in /v1; needs --model.",
        rich_help_panel=MODEL,
    ),
]
ModelName = Annotated[
    str, typer.Option("--model", help="The model's name on the server.", rich_help_panel=MODEL)
]
ApiKeyEnv = Annotated[
    str,
    typer.Option(
        "--api-key-env",
        help="Environment variable with the server's API key.",
        rich_help_panel=MODEL,
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        "--weights",
        help="Which weights the server has loaded; without it its answers are not cached.",
        rich_help_panel=MODEL,
    ),
]
ContextLength = Annotated[
    int,
    typer.Option(
        "--context-length",
        min=0,
        help="Of the server's model, in tokens.",
        rich_help_panel=MODEL,
    ),
]
Echo = Annotated[
    bool,
    typer.Option(
        "--echo",
        help="The engine that repeats its prompt, for trying out.",
        rich_help_panel=MODEL,
    ),
]
PrecisionName = Annotated[
    str,
    typer.Option("--precision", help=f"One of {', '.join(COMPUTES)}.", rich_help_panel=MODEL),
]
KvCacheName = Annotated[
    str,
    typer.Option("--kv-cache", help=f"One of {', '.join(KV_CACHES)}.", rich_help_panel=MODEL),
]
CacheGib = Annotated[
    int,
    typer.Option("--cache-gib", min=1, help="Size of the KV cache.", rich_help_panel=MODEL),
]
Parallel = Annotated[
    int,
    typer.Option(
        "--parallel", min=1, max=256, help="Requests under way at once.", rich_help_panel=PACE
    ),
]
AnswerSeconds = Annotated[
    float,
    typer.Option(
        "--answer-seconds", min=1, help="Longest wait for one answer.", rich_help_panel=PACE
    ),
]
SilentSeconds = Annotated[
    float,
    typer.Option(
        "--silent-seconds",
        min=0,
        help="Stop when nothing was answered for so long.",
        rich_help_panel=PACE,
    ),
]
Attempts = Annotated[
    int, typer.Option("--attempts", min=1, help="Tries a sample.", rich_help_panel=PACE)
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]

ANSWER_SECONDS = Patience().answer_seconds
SILENT_SECONDS = Patience().silent_seconds
ATTEMPTS = Patience().attempts
