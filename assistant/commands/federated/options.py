"""What the commands of a coordinator have alike, and those of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Own = Annotated[
    Path,
    typer.Option("--key", exists=True, dir_okay=False, help="NAME.key; NAME.pem lies beside it."),
]
Sites = Annotated[
    Path, typer.Option(exists=True, file_okay=False, help="NAME.pem of each site allowed.")
]
Out = Annotated[Path, typer.Option(help="Folder of the model; a killed run goes on there.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535)]
Rounds = Annotated[int, typer.Option(min=1, help="Times that weights are averaged.")]
EpochsARound = Annotated[
    float,
    typer.Option(min=0.01, help="Of a site in each round; 0.1: averaged ten times an epoch."),
]
Least = Annotated[int, typer.Option(min=1, help="Sites that a round needs.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds for all sites to join.")]
PatienceOfRound = Annotated[
    float, typer.Option(min=1, help="Seconds for all to answer; then it goes on without.")
]
Bound = Annotated[
    float,
    typer.Option(min=0, help="Refuse an update so many times longer than the middle one; 0: none."),
]
Clip = Annotated[
    float, typer.Option(min=0, help="Longest update that counts in full; with --noise.")
]
Noise = Annotated[
    float, typer.Option(min=0, help="Gaussian noise, in units of --clip; says its ε.")
]
Address = Annotated[str, typer.Argument(help="https://… of the coordinator.")]
Coordinator = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="The coordinator's certificate.")
]
Common = Annotated[Path, typer.Option(help="Folder of the common model, when it is ready.")]
PatienceOfLine = Annotated[
    float, typer.Option(min=0, help="Seconds to try again when the line breaks.")
]
Pause = Annotated[float, typer.Option(min=0.05, help="Seconds between two questions.")]
