"""Keys and certificates of the coordinator and the sites; who may come in."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

_DAYS = 825


class KeysInvalid(Exception):
    """A certificate or key cannot be used; the message says which and what to do."""


def make(folder: Path, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
    """``NAME.pem`` (to give to others) and ``NAME.key`` (stays, mode 600) in ``folder``.

    A certificate that signs itself and may sign no other; ``hosts``: names or addresses under
    which others reach the machine.

    Raises:
        KeysInvalid: the files are there already, or `cryptography` is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise KeysInvalid(
            "缺少 cryptography。(cryptography is not installed: pip install 'bedside[interop]')"
        ) from error
    certificate, secret = folder / f"{name}.pem", folder / f"{name}.key"
    if certificate.exists() or secret.exists():
        raise KeysInvalid(
            f"{certificate} 或 {secret} 已存在。(They exist already; name another folder.)"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [_alternative(host) for host in hosts]
    built = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    folder.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(private)
    signed = built.sign(key, hashes.SHA256())
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return certificate, secret


def _alternative(host: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def allowed(folder: Path) -> dict[str, Path]:
    """The certificates of the sites that may take part, by the sites' names (``NAME.pem``).

    Raises:
        KeysInvalid: the folder holds none.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.pem"))}
    if not found:
        raise KeysInvalid(
            f"{folder} 中没有站点证书（名称.pem）。(No certificate of a site, NAME.pem, is there.)"
        )
    return found


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER."""
    return hashlib.sha256(certificate).hexdigest()


def prints(certificates: dict[str, Path]) -> dict[str, str]:
    """Site names by the fingerprint of their certificate.

    Raises:
        KeysInvalid: a file is no certificate.
    """
    made = {}
    for name, path in certificates.items():
        try:
            made[fingerprint(ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip()))] = name
        except (ValueError, OSError) as error:
            raise KeysInvalid(f"{path} 不是 PEM 证书。(Not a certificate in PEM.)") from error
    return made


def context(server: bool, own: Path, key: Path, trusted: Sequence[Path]) -> ssl.SSLContext:
    """TLS 1.3 in which both sides show a certificate, and only those of ``trusted`` are taken.

    Raises:
        KeysInvalid: a file is missing or does not fit.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_cert_chain(own, key)
        for path in trusted:
            made.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise KeysInvalid(
            f"证书或密钥无法使用：{own}、{key}。(The certificate, the key, or one to trust cannot "
            f"be used: {error}.)"
        ) from error
    return made
