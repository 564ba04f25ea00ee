"""With TLS a sender without it, or without a certificate of the authority, gets nowhere."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dicom_peer import associated, study
from imaging_samples import written
from pynetdicom import AE

from assistant.interop.dicom.listening import CannotListen
from assistant.interop.dicom.sending import NotDelivered, to_peer
from assistant.interop.dicom.settings import DicomSettings, Peer
from assistant.settings import Settings

from .conftest import closed, opened


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bedside test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, secret


def echo(port: int, context: ssl.SSLContext) -> bool:
    entity = AE(ae_title="CT01")
    entity.connection_timeout = entity.acse_timeout = 5
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate(
        "127.0.0.1", port, ae_title="BEDSIDE", tls_args=(context, "127.0.0.1")
    )
    if not association.is_established:
        return False
    done = bool(association.send_c_echo().get("Status") == 0)
    association.release()
    return done


async def test_a_sender_needs_tls_and_a_certificate(
    dicom_settings: Settings, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    dicom_settings.dicom.tls_cert, dicom_settings.dicom.tls_key = cert, key
    dicom_settings.dicom.tls_ca = cert
    desk = await opened(dicom_settings)
    try:
        nameless = ssl.create_default_context(cafile=str(cert))
        named = ssl.create_default_context(cafile=str(cert))
        named.load_cert_chain(cert, key)
        assert await asyncio.to_thread(echo, desk.port, named)
        assert not await asyncio.to_thread(echo, desk.port, nameless)

        def plain() -> bool:
            with associated(desk.port) as association:
                return bool(association.is_established)

        assert not await asyncio.to_thread(plain)
    finally:
        await closed(desk)


async def test_results_go_to_a_peer_by_tls(
    dicom_settings: Settings, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    dicom_settings.dicom.tls_cert, dicom_settings.dicom.tls_key = cert, key
    desk = await opened(dicom_settings)
    try:
        peer = Peer(host="127.0.0.1", port=desk.port, ae_title="BEDSIDE", tls_ca=cert)
        await asyncio.to_thread(to_peer, peer, "CT01", [written(study()[0])])
        assert len(desk.parts.store.studies.list()) == 1
        peer.tls_ca = key
        with pytest.raises(NotDelivered, match="tls_ca"):
            to_peer(peer, "CT01", [written(study()[0])])
    finally:
        await closed(desk)


async def test_files_that_are_no_certificate_are_told_of(
    dicom_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    dicom_settings.dicom.tls_cert = dicom_settings.dicom.tls_key = tmp_path / "bad.pem"
    with pytest.raises(CannotListen, match="TLS"):
        await opened(dicom_settings)
    with pytest.raises(ValueError, match="belong together"):
        DicomSettings(tls_cert=tmp_path / "bad.pem")
