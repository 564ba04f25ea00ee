"""``bedside alerts ENCOUNTER.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.commands.progress import console
from assistant.record.evidence import TextSpan

_COLOUR = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_ZH = {"critical": "危险", "warning": "注意", "info": "提示"}


def alerts(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="An encounter in JSON.")
    ],
    moment: Annotated[
        Literal["view", "order", "note", "discharge"] | None,
        typer.Option(help="Only the rules of one moment of the work; none given: all."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The alerts as one JSON list.")] = False,
) -> None:
    """What the rules say of an encounter: allergies, doses, interactions, results, gaps.

    Rules of the hospital are read from the folder alerts in the home folder.
    """
    from assistant.alerts.engine import alerts_of
    from assistant.alerts.rule import rules_of
    from assistant.record.encounter import Encounter
    from assistant.settings import Settings

    settings = Settings()
    encounter = Encounter.model_validate_json(file.read_bytes())
    found = alerts_of(encounter, rules_of(settings.home, settings.alerts.off), moment=moment)
    if as_json:
        listed = [alert.model_dump(mode="json") for alert in found]
        print(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    if not found:
        console.print("没有提示。(No alerts.)")
    for alert in found:
        asked = "？" if alert.question else ""
        console.print(f"{_ZH[alert.severity]}{asked} {alert.title}", style=_COLOUR[alert.severity])
        console.print(f"  {alert.message}", markup=False, highlight=False)
        console.print(f"  处理：{alert.settle}", markup=False, highlight=False)
        for place in alert.evidence:
            where = (
                f"{place.note_id}[{place.start}:{place.end}]"
                if isinstance(place, TextSpan)
                else "单据图像"
            )
            console.print(
                f"  依据 {where} {place.quote}",
                style="dim",
                markup=False,
                highlight=False,
            )
        console.print(f"  来源：{alert.source.name}，{alert.source.year}", markup=False)
