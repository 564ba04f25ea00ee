"""The service that takes studies: C-STORE and C-ECHO for the callers of the list, nobody else."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

from assistant.interop.dicom import refusal
from assistant.interop.dicom.receiving import Receiving
from assistant.interop.dicom.refusal import InstanceRefused
from assistant.interop.dicom.settings import DicomSettings

logger = logging.getLogger("bedside.assistant.dicom")

_NOT_RECOGNISED = (0x01, 0x01, 0x03)
"""Rejected for good by the service user: calling AE title not recognised (PS3.8 table 9-21)."""


class CannotListen(Exception):
    """The address is taken or none of this machine, or the library is not installed."""


class Listening:
    """A listener; ``arrived`` is called, from a thread of its own, after each instance."""

    def __init__(
        self, settings: DicomSettings, receiving: Receiving, arrived: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._receiving = receiving
        self._arrived = arrived
        self._callers = {one.ae_title.strip(): one.addresses for one in settings.callers}
        self._server: Any = None
        self._sizes: dict[int, int] = {}
        """What has come of the instance that is under way, by its association."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1]) if self._server else self._settings.port

    def start(self) -> None:
        """Listen from now on.  Raises `CannotListen`."""
        try:
            from pynetdicom import AE, AllStoragePresentationContexts, evt
            from pynetdicom.sop_class import Verification
        except ModuleNotFoundError:
            raise CannotListen(
                "接收 DICOM 需要影像组件，请运行 pip install 'bedside[imaging]'。"
                "(Taking DICOM needs the extra imaging.)"
            ) from None
        # It would write values of the messages, which may be a patient's, into the log.
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        settings = self._settings
        entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        # An empty list would let everybody in.
        entity.require_calling_aet = list(self._callers) or ["\x7f"]
        entity.maximum_associations = settings.max_associations
        entity.network_timeout = settings.idle_seconds
        entity.acse_timeout = entity.dimse_timeout = settings.idle_seconds
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, syntaxes())
        entity.add_supported_context(Verification)
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_PDU_RECV, self._part),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        try:
            self._server = entity.start_server(
                (settings.host, settings.port),
                block=False,
                ssl_context=server_context(settings),
                evt_handlers=handlers,
            )
        except ssl.SSLError:
            raise CannotListen(
                "TLS 证书或密钥无法使用，请检查 tls_cert、tls_key、tls_ca。"
                "(Certificate or key cannot be used.)"
            ) from None
        except OSError as error:
            raise CannotListen(
                f"DICOM 端口 {settings.host}:{settings.port} 无法监听，请检查是否被占用或改用其他"
                f"端口。(Cannot listen there: {error.strerror}; is the port taken?)"
            ) from None
        logger.info("DICOM is listened for on port %d", self.port)

    def stop(self) -> None:
        """Listen no more; what is under way is cut off, unacknowledged."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def _requested(self, event: Any) -> None:
        """A title of the list must also come from an address of it."""
        association = event.assoc
        title = str(association.requestor.primitive.calling_ae_title).strip()
        addresses = self._callers.get(title)
        if addresses and association.requestor.address not in addresses:
            association.acse.send_reject(*_NOT_RECOGNISED)
            association.kill()
            logger.warning("an association from an address that is not of the list is rejected")

    def _rejected(self, event: Any) -> None:
        logger.warning("an association is rejected: not of the list, or too many at once")

    def _echo(self, event: Any) -> int:
        return refusal.SUCCESS

    def _part(self, event: Any) -> None:
        """An instance is in memory until it is whole, so that one without an end must be ended."""
        key = id(event.assoc)
        self._sizes[key] = self._sizes.get(key, 0) + int(event.pdu.pdu_length)
        if self._sizes[key] > self._settings.max_instance_mib * 1024**2:
            logger.warning("a sender is cut off: its instance is larger than max_instance_mib")
            event.assoc.dul.socket.close()

    def _closed(self, event: Any) -> None:
        self._sizes.pop(id(event.assoc), None)

    def _store(self, event: Any) -> Any:
        self._sizes.pop(id(event.assoc), None)
        try:
            self._receiving.keep(
                event.encoded_dataset(),
                str(event.assoc.requestor.ae_title).strip(),
                str(event.request.AffectedSOPClassUID),
                str(event.request.AffectedSOPInstanceUID),
            )
        except InstanceRefused as refused:
            logger.warning("an instance is refused: %04X", refused.status)
            return _status(refused.status, refused.comment)
        except Exception as error:
            logger.error("an instance could not be kept: %s", type(error).__name__)
            return _status(refusal.FAILED, "It could not be kept")
        self._arrived()
        return refusal.SUCCESS


def server_context(settings: DicomSettings) -> ssl.SSLContext | None:
    """TLS as the settings want it; None without.  Raises `OSError` for files that are no such."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    if settings.tls_ca is not None:
        context.load_verify_locations(settings.tls_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@cache
def syntaxes() -> list[str]:
    """The transfer syntaxes whose pixels can be read here, uncompressed ones first."""
    from pydicom import uid

    compressed = (
        uid.DeflatedExplicitVRLittleEndian,
        uid.RLELossless,
        *uid.JPEGLSTransferSyntaxes,
        *uid.JPEG2000TransferSyntaxes,
        *uid.JPEGTransferSyntaxes,
    )
    plain = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)
    return [str(one) for one in (*plain, *(c for c in compressed if _readable(c)))]


def _readable(syntax: Any) -> bool:
    from pydicom.pixels.decoders.base import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _status(status: int, comment: str) -> Any:
    from pydicom import Dataset

    made = Dataset()
    made.Status = status
    made.ErrorComment = comment
    return made
