"""The options that name a knowledge base, and opening it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.common import console, installation
from eval.errors import EvalError

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase
    from serving.encoder.text_encoder import Encoder

NO_ENCODER = "none"

BaseFolder = Annotated[
    Path | None,
    typer.Option("--base", help="Folder of the knowledge base; default: that of Bedside."),
]
EncoderName = Annotated[
    str,
    typer.Option(
        "--encoder", help=f"Encoder that the base was built with, or {NO_ENCODER}: words alone."
    ),
]


def open_base(context: typer.Context, folder: Path | None, encoder: str) -> KnowledgeBase:
    """The base in ``folder``, or that of the installation.

    Raises:
        EvalError: there is none that can be used.
    """
    from knowledge.base import KnowledgeBase, KnowledgeMissing
    from serving.encoder.text_encoder import EncoderUnavailable, open_encoder

    where = folder or installation(context).home / "knowledge"
    found: Encoder | None = None
    if encoder != NO_ENCODER:
        try:
            found = open_encoder(encoder)
        except EncoderUnavailable as error:
            console.print(str(error), style="yellow", markup=False, highlight=False)
    log = logging.getLogger("bedside.knowledge.base")
    log.disabled = True  # what it warns of is said below, where anybody asked for an encoder
    try:
        base = KnowledgeBase.open(where, found)
    except KnowledgeMissing as error:
        raise EvalError(str(error)) from error
    finally:
        log.disabled = False
    if base.notice and encoder != NO_ENCODER:
        console.print(base.notice, style="yellow", markup=False, highlight=False)
    return base
