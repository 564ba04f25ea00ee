"""Results on their way out: into a folder, to a peer by C-STORE, to a DICOMweb server by STOW."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from assistant.imaging.out.product import Product
from assistant.imaging.problem import ImageProblem
from assistant.interop.dicom.settings import DicomWebServer, Peer
from assistant.whole_file import whole

_TAKEN = (0x0000, 0xB000, 0xB006, 0xB007)
"""Success, and success with a warning (PS3.4 table B.2-1)."""


class NotDelivered(Exception):
    """It did not get there; the message says why."""


def to_folder(folder: Path, products: Sequence[Product]) -> None:
    """Write the files into ``folder``, each whole or not at all.  Raises `NotDelivered`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for one in products:
            with whole(folder / one.name) as partial:
                partial.write_bytes(one.data)
    except OSError as error:
        raise NotDelivered(
            f"结果无法写入输出文件夹，请检查权限和空间。(The folder cannot be written: "
            f"{error.strerror or type(error).__name__}.)"
        ) from None


def to_peer(peer: Peer, own_title: str, files: Sequence[bytes]) -> None:
    """Send DICOM files by C-STORE.  Raises `NotDelivered` where one was not taken."""
    from pydicom import dcmread
    from pynetdicom import AE

    # It would write values of the messages, which may be a patient's, into the log.
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    datasets = [dcmread(BytesIO(one)) for one in files]
    entity = AE(ae_title=own_title)
    entity.connection_timeout = entity.network_timeout = peer.timeout_seconds
    entity.acse_timeout = entity.dimse_timeout = peer.timeout_seconds
    kinds = {(str(d.SOPClassUID), str(d.file_meta.TransferSyntaxUID)) for d in datasets}
    for sop_class, syntax in sorted(kinds):
        entity.add_requested_context(sop_class, syntax)
    association = entity.associate(
        peer.host, peer.port, ae_title=peer.ae_title, tls_args=_tls(peer)
    )
    if not association.is_established:
        raise NotDelivered(
            "无法与接收方建立关联，请核对地址、端口和 AE 名称，并在对方登记本机 AE。"
            "(No association with the peer: check address, port and AE titles on both sides.)"
        )
    try:
        for one in datasets:
            status = association.send_c_store(one)
            code = status.get("Status")
            if code not in _TAKEN:
                answer = f"{code:04X}" if isinstance(code, int) else "无应答 no answer"
                raise NotDelivered(f"接收方拒收，状态 {answer}。(The peer did not take it.)")
    except ValueError:
        raise NotDelivered(
            "接收方不支持这类对象，请改用 sc 等其他形式。(The peer takes no such objects.)"
        ) from None
    finally:
        association.release()


def _tls(peer: Peer) -> tuple[ssl.SSLContext, str] | None:
    if peer.tls_ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(peer.tls_ca))
    except OSError:
        raise NotDelivered(
            "接收方的 tls_ca 无法读取，请检查证书文件。(The certificate authority cannot be read.)"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context, peer.host


def to_web(server: DicomWebServer, files: Sequence[bytes]) -> None:
    """Store DICOM files by STOW.  Raises `NotDelivered`."""
    from assistant.imaging import web

    try:
        web.store(server, files)
    except ImageProblem as problem:
        raise NotDelivered(str(problem)) from None
