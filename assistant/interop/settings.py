"""Settings of what other systems call, and of the alerts."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Algorithm = Literal["ES384", "RS384", "ES256", "RS256", "ES512", "RS512", "PS384", "EdDSA"]


class AlertSettings(BaseModel):
    """The alerts (事中提示)."""

    model_config = ConfigDict(extra="forbid")

    off: list[str] = Field(default_factory=list, description="Ids of rules that are switched off.")
    most_interruptive: int = Field(
        default=3, ge=0, le=20, description="Alerts that may wait for an answer at once."
    )


class HookClient(BaseModel):
    """A system that may call the hooks."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=24, description="What the audit calls it.", pattern=r"^[\w.-]+$"
    )
    issuer: str = Field(min_length=1, description="The `iss` of its tokens.")
    jwks_url: str = Field(
        default="", description="Where its keys are; a token's `jku` must be this very address."
    )
    keys: list[dict[str, Any]] = Field(
        default_factory=list, description="Its public keys (JWK), instead of an address."
    )
    algorithms: list[Algorithm] = Field(default=["ES384", "RS384"])
    fhir_servers: list[str] = Field(
        default_factory=list,
        description="Base addresses of FHIR servers that may be asked for it; none: never any.",
    )

    @model_validator(mode="after")
    def _keys_known(self) -> HookClient:
        if bool(self.keys) == bool(self.jwks_url):
            raise ValueError(f"hooks client {self.name}: give either jwks_url or keys")
        if any("d" in key or key.get("kty") == "oct" for key in self.keys):
            raise ValueError(f"hooks client {self.name}: keys must be public ones")
        for address in [*self.fhir_servers, *filter(None, [self.jwks_url])]:
            parts = urlsplit(address)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
                raise ValueError(f"hooks client {self.name}: {address} is no http(s) address")
        return self


class HookSettings(BaseModel):
    """CDS Hooks, see hooks.md."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(
        default="",
        description="The address at which clients reach this server, such as "
        "`https://bedside.hospital.example`: the audience of tokens and the beginning of links. "
        "Empty: as the request names it.",
    )
    clients: list[HookClient] = Field(default_factory=list, description="Who may call.")
    unsecured: bool = Field(
        default=False,
        description="Clients on this machine itself may call without a token: for trying out.",
    )
    fhir_servers: list[str] = Field(
        default_factory=list,
        description="FHIR servers that may be asked for callers with an API key, or without any.",
    )
    smart_url: str = Field(
        default="",
        description="The launch address of the SMART app; where it is set, cards link to it.",
    )
    origins: list[str] = Field(
        default_factory=list,
        description="Origins of pages that may call from a browser (CORS); the list of services is "
        "open to all.",
    )
    fetch_seconds: float = Field(
        default=3.0, gt=0, le=30, description="Most seconds for all data of one call."
    )
    fetch_pages: int = Field(default=20, ge=1, le=200, description="Most pages of one search.")
    fetch_bytes: int = Field(
        default=8_000_000, ge=10_000, description="Most bytes of all data of one call."
    )
    card_seconds: float = Field(
        default=0.4,
        gt=0,
        le=60,
        description="So long a call waits for what the rules say; what takes longer comes with the "
        "next hook.",
    )

    processes: int = Field(
        default=0,
        ge=0,
        le=32,
        description="So many processes of `bedside serve` answer hooks beside the server, each on "
        "a core of its own; 0: the server does it itself.",
    )

    @model_validator(mode="after")
    def _told_apart(self) -> HookSettings:
        issuers = [client.issuer for client in self.clients]
        if len(set(issuers)) < len(issuers):
            raise ValueError("hooks: two clients have one issuer")
        return self


class WebhookSettings(BaseModel):
    """Accepted texts, posted to the hospital's system."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        default="",
        pattern=r"^(https?://[^\s@?#]+)?$",
        description="Where accepted texts are posted; empty: nowhere.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs what is posted (HMAC-SHA-256); at least 16 characters.",
    )
    seconds: float = Field(default=10.0, gt=0, le=60, description="How long one try may take.")
    most_tries: int = Field(
        default=30, ge=1, le=1000, description="Tries before it is given up (about a day)."
    )

    @model_validator(mode="after")
    def _signed(self) -> WebhookSettings:
        if self.url and len(self.secret.get_secret_value()) < 16:
            raise ValueError("embed.webhook: secret needs at least 16 characters")
        return self


class EmbedSettings(BaseModel):
    """Pages inside the pages of the hospital's system, and what goes back to it."""

    model_config = ConfigDict(extra="forbid")

    origins: list[str] = Field(
        default_factory=list,
        description="Origins whose pages may embed ours, such as `https://emr.hospital.example`; "
        "empty: none may.",
    )
    launch_seconds: int = Field(
        default=120, ge=5, le=600, description="So long the address of a page may be opened, once."
    )
    session_minutes: int = Field(
        default=60, ge=1, le=720, description="An embedded page ends after this."
    )
    webhook: WebhookSettings = Field(
        default_factory=WebhookSettings, description="Accepted texts, posted to the EMR."
    )

    @field_validator("origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            parts = urlsplit(origin)
            bare = f"{parts.scheme}://{parts.netloc}"
            wanted = parts.scheme in ("http", "https") and parts.hostname and not parts.username
            if not wanted or bare != origin or any(mark in origin for mark in " *;,'\""):
                raise ValueError("embed.origins: write each as https://host or https://host:port")
        return value


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
