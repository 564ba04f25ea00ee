"""The configuration reference, written from the settings object itself."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from assistant.engine_settings import EngineSettings
from assistant.interop.dicom.settings import Caller, DicomSettings, DicomWebServer, Peer
from assistant.interop.settings import (
    AlertSettings,
    EmbedSettings,
    FhirSettings,
    Hl7Settings,
    HookClient,
    HookSettings,
    SmartSettings,
    WebhookSettings,
)
from assistant.monitoring.settings import (
    Floor,
    MonitoringSettings,
    ShadowCandidate,
    ShadowSettings,
)
from assistant.settings import PanelMember, Settings

_MODULE = re.compile(r"\b(?:\w+\.)+(?=[A-Z])")
"""Where a type comes from, which is nothing to whoever sets one."""


def markdown() -> str:
    """The reference as Markdown: a table for the settings and one for each nested object."""
    parts = [
        "# Configuration reference\n",
        "Made by `bedside settings`; do not edit by hand.\n",
        "A setting comes from the environment (`BEDSIDE_` and its name in capitals, nested ones "
        "joined by `__`), else from `bedside.toml` (or the file that `BEDSIDE_CONFIG` names), else "
        "from its default.\n",
    ]
    tables = (
        ("Settings", Settings),
        ("`engines.<name>`", EngineSettings),
        ("`panel`", PanelMember),
        ("`dicom`", DicomSettings),
        ("`dicom.callers`", Caller),
        ("`dicom.peers.<name>`", Peer),
        ("`dicomweb.<name>`", DicomWebServer),
        ("`alerts`", AlertSettings),
        ("`hooks`", HookSettings),
        ("`hooks.clients`", HookClient),
        ("`embed`", EmbedSettings),
        ("`embed.webhook`", WebhookSettings),
        ("`fhir`", FhirSettings),
        ("`hl7`", Hl7Settings),
        ("`smart`", SmartSettings),
        ("`monitoring`", MonitoringSettings),
        ("`monitoring.floors`", Floor),
        ("`shadow`", ShadowSettings),
        ("`shadow.candidates`", ShadowCandidate),
    )
    for title, model in tables:
        parts.append(f"## {title}\n")
        parts.append("| name | type | default | meaning |\n|---|---|---|---|")
        parts += [_row(name, field) for name, field in model.model_fields.items()]
        parts.append("")
    return "\n".join(parts)


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {_type(field.annotation)} | {_default(name, field)} | {meaning} |"


def _type(annotation: Any) -> str:
    arguments = get_args(annotation)
    if arguments and all(isinstance(a, str) for a in arguments):
        return " \\| ".join(f"`{a}`" for a in arguments)
    if annotation is SecretStr:
        return "secret"
    if isinstance(annotation, type) and not arguments:
        return f"`{annotation.__name__}`"
    text = _MODULE.sub("", str(annotation)).replace("|", "\\|")
    return f"`{text}`"


def _default(name: str, field: FieldInfo) -> str:
    if name == "home":
        return "the user's data folder, `bedside`"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        return "empty"
    if isinstance(value, BaseModel):
        return "see below"
    if field.is_required():
        return "required"
    if isinstance(value, dict) and value and isinstance(next(iter(value.values())), BaseModel):
        return "`demo`: the demo model"
    if isinstance(value, list) and value and isinstance(value[0], Floor):
        return ", ".join(f"`{floor}`" for floor in value)
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return "one member on `demo`"
    return f"`{value!r}`" if value != "" else "empty"
