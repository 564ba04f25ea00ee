"""The settings of DICOM on the network: who may send, what becomes of it, where results go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

AeTitle = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,15})$")
]
"""At most 16 characters, none of them a backslash (PS3.5, AE)."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Caller(_Part):
    """A device that may send."""

    ae_title: AeTitle = Field(description="The AE title that it calls itself.")
    addresses: list[str] = Field(
        default_factory=list,
        description="The IP addresses that it may come from; empty: any. An AE title alone is no "
        "secret.",
    )


class Peer(_Part):
    """A system that results are sent to by C-STORE."""

    host: str = Field(description="Its address.")
    port: int = Field(ge=1, le=65535)
    ae_title: AeTitle = Field(description="The AE title that it is called by.")
    timeout_seconds: float = Field(default=30.0, gt=0, description="Of each step.")
    tls_ca: Path | None = Field(
        default=None, description="Speak TLS with it, and trust this certificate authority."
    )


class DicomWebServer(_Part):
    """A DICOMweb server: `dicomweb:<name>/<study UID>/<series UID>` in a command."""

    url: str = Field(description="Its base address, as `https://pacs.hospital.example/dicom-web`.")
    token: SecretStr = Field(default=SecretStr(""), description="Sent as `Authorization: Bearer`.")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Other headers of each request."
    )
    ca_file: Path | None = Field(
        default=None, description="The certificate authority of the hospital's own servers."
    )
    timeout_seconds: float = Field(default=30.0, gt=0, description="Of silence.")
    total_seconds: float = Field(default=900.0, gt=0, description="For one series in all.")
    max_mib: int = Field(default=4096, ge=1, description="More of one series is not taken.")

    @model_validator(mode="after")
    def _address(self) -> DicomWebServer:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url: an address that begins with https:// (or http://)")
        return self


class DicomSettings(_Part):
    """What listens for studies, and what is done with them."""

    listen: bool = Field(
        default=False, description="Whether `bedside serve` also takes studies by C-STORE."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=11112, ge=1, le=65535, description="Port to listen on.")
    ae_title: AeTitle = Field(default="BEDSIDE", description="What it must be called by.")
    callers: list[Caller] = Field(default_factory=list, description="Who may send; nobody else.")
    tls_cert: Path | None = Field(
        default=None, description="Listen with TLS: the certificate, with its chain."
    )
    tls_key: Path | None = Field(default=None, description="The key of `tls_cert`.")
    tls_ca: Path | None = Field(
        default=None, description="Senders must show a certificate of this authority."
    )
    encounter: Literal["AdmissionID", "AccessionNumber", "none"] = Field(
        default="AdmissionID",
        description="The tag that names the encounter; without it a study belongs to the patient "
        "alone.",
    )
    quiet_seconds: float = Field(
        default=30.0, gt=0, description="A study is judged when nothing has come for so long."
    )
    patience_seconds: float = Field(
        default=1800.0,
        ge=0,
        description="How long a study that lacks instances is waited for before it says so for "
        "good.",
    )
    min_free_mib: int = Field(
        default=1024, ge=0, description="With less room on the disk nothing is taken."
    )
    max_instance_mib: int = Field(
        default=2048, ge=1, description="A sender whose instance is larger is cut off."
    )
    max_associations: int = Field(default=8, ge=1, le=100, description="Senders at once.")
    idle_seconds: float = Field(
        default=60.0, gt=0, description="A sender that says nothing for so long is cut off."
    )
    routing: Path | None = Field(
        default=None,
        description="The routing rules; not given: `routing.yaml` in the home folder, else the "
        "shipped ones.",
    )
    retries: int = Field(
        default=5, ge=0, le=100, description="How often a delivery that fails is tried again."
    )
    retry_seconds: float = Field(default=60.0, gt=0, description="Between two tries.")
    peers: dict[str, Peer] = Field(default_factory=dict, description="Where results go, by name.")

    @model_validator(mode="after")
    def _whole_tls(self) -> DicomSettings:
        if (self.tls_cert is None) != (self.tls_key is None) or (self.tls_ca and not self.tls_cert):
            raise ValueError("tls_cert and tls_key belong together; tls_ca needs both")
        return self

    @model_validator(mode="after")
    def _somebody(self) -> DicomSettings:
        if self.listen and not self.callers:
            raise ValueError(
                'callers: name the AE titles that may send, as [[dicom.callers]] ae_title = "CT01"'
            )
        return self
