"""Series of a DICOMweb server (PS3.18): found by QIDO, fetched by WADO, results stored by STOW.

An address is ``dicomweb:SERVER/STUDY`` or ``dicomweb:SERVER/STUDY/SERIES`` with UIDs and a server
of the settings, so that a token goes to no other place than the one that it is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom import Dataset

    from assistant.interop.dicom.settings import DicomWebServer

Made = TypeVar("Made")

PREFIX = "dicomweb:"
REGIONS = ("RTSTRUCT", "SEG")
_NO_IMAGES = (*REGIONS, "SR", "KO", "PR", "RTPLAN", "RTDOSE", "REG", "DOC")
_ADDRESS = re.compile(r"dicomweb:([A-Za-z0-9_-]+)/([0-9.]{1,64})(?:/([0-9.]{1,64}))?/?")
_SHOWN = 20
_MODALITY_TAG, _SERIES_TAG, _INSTANCE_TAG, _COUNT_TAG = (
    "00080060",
    "0020000E",
    "00080018",
    "00201209",
)


@dataclass(frozen=True, slots=True)
class Address:
    """A study of a server, or one series of it."""

    server: str
    study: str
    series: str = ""


def is_address(path: Path) -> bool:
    """Whether it names a server, not a file."""
    return str(path).startswith(PREFIX)


def address(path: Path) -> Address:
    """What it names.  Raises `ImageProblem`."""
    found = _ADDRESS.fullmatch(str(path))
    if found is None:
        raise ImageProblem(
            "DICOMweb 地址须写作 dicomweb:服务器名/检查UID/序列UID，"
            "服务器名见设置 [dicomweb.名称]。",
            "Write dicomweb:SERVER/STUDY/SERIES with UIDs and a server of the settings "
            "([dicomweb.NAME]).",
        )
    return Address(found[1], found[2], found[3] or "")


def images(path: Path) -> list[Dataset]:
    """The instances of the series of images that ``path`` names.  Raises `ImageProblem`."""
    place = address(path)
    return fetch(configured(place.server), place, lambda kind: kind not in _NO_IMAGES)


def region(path: Path) -> Dataset:
    """The RTSTRUCT or SEG that ``path`` names.  Raises `ImageProblem`."""
    place = address(path)
    return fetch(configured(place.server), place, lambda kind: kind in REGIONS)[0]


def configured(name: str) -> DicomWebServer:
    """The server of this name in the settings.  Raises `ImageProblem`."""
    from assistant.settings import Settings

    servers = Settings().dicomweb
    if name not in servers:
        known = "、".join(servers) or "无"
        raise ImageProblem(
            f"设置里没有名为 {name} 的 DICOMweb 服务器（已有：{known}），请加 [dicomweb.{name}]。",
            f"The settings have no DICOMweb server {name}; add [dicomweb.{name}] with its url.",
        )
    return servers[name]


def fetch(server: DicomWebServer, place: Address, wanted: Callable[[str], bool]) -> list[Dataset]:
    """All instances of one series; where ``place`` names none, of the only one of the study whose
    modality is ``wanted``.  Raises `ImageProblem`."""

    def errand(client: DICOMwebClient) -> list[Dataset]:
        series = place.series or _only(client, place.study, wanted)
        listed = _instances(client, place.study, series)
        found = list(client.iter_series(place.study, series))
        return _checked(found, place.study, series, listed)

    return _run(server, errand)


def store(server: DicomWebServer, files: Sequence[bytes]) -> None:
    """Store DICOM files by STOW.  Raises `ImageProblem` where one of them was not taken."""

    def errand(client: DICOMwebClient) -> bool:
        answer = client.store_instances([dicom.read(data) for data in files])
        failed = len(answer.get("FailedSOPSequence") or [])
        if failed:
            raise ImageProblem(
                f"DICOMweb 服务器拒收了 {failed} 个对象，请检查其存储权限。",
                f"The DICOMweb server did not take {failed} objects; may we store there?",
            )
        return True

    _run(server, errand)


def _run(server: DicomWebServer, errand: Callable[[DICOMwebClient], Made]) -> Made:
    import logging

    from dicomweb_client import DICOMwebClient
    from requests import RequestException

    from assistant.imaging.bounded_http import Bounds, TooLong, TooMuch, session, within

    dicom.be_discreet()
    logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL)
    bounds = Bounds(server.total_seconds, server.timeout_seconds, server.max_mib * 1024**2)
    opened = session(bounds)
    if server.ca_file is not None:
        opened.verify = str(server.ca_file)
    headers = {name: value.get_secret_value() for name, value in server.headers.items()}
    if token := server.token.get_secret_value():
        headers["Authorization"] = f"Bearer {token}"

    def work() -> Made:
        client = DICOMwebClient(server.url, session=opened, headers=headers)
        client.set_http_retry_params(retry=False)
        return errand(client)

    try:
        return within(server.total_seconds, work)
    except ImageProblem:
        raise
    except TooLong:
        raise ImageProblem(
            "DICOMweb 服务器太慢，已超过总时限，请稍后重试或调大 total_seconds。",
            "The DICOMweb server was too slow; try again, or set a greater total_seconds.",
        ) from None
    except TooMuch:
        raise ImageProblem(
            f"序列超过 {server.max_mib} MiB 的上限，请缩小范围或调大 max_mib。",
            "The series is larger than max_mib; set a greater one if that is right.",
        ) from None
    except RequestException as error:
        raise _of_http(error) from None
    except Exception:
        # What a server that speaks something else makes a parser raise may be anything.
        raise ImageProblem(
            "服务器的回答不是有效的 DICOMweb，请检查设置中的 url。",
            "The answer is no valid DICOMweb; is the url of the settings right?",
        ) from None
    finally:
        with suppress(Exception):
            opened.close()


def _of_http(error: Any) -> ImageProblem:
    status = getattr(error.response, "status_code", None)
    if status in (401, 403):
        return ImageProblem(
            "DICOMweb 服务器拒绝访问，请检查设置中的 token 或 headers。",
            "The DICOMweb server refuses access; check token and headers of the settings.",
        )
    if status == 404:
        return ImageProblem(
            "DICOMweb 服务器上没有这个检查或序列，请核对 UID。",
            "The DICOMweb server has no such study or series; check the UIDs.",
        )
    if status is not None:
        return ImageProblem(
            f"DICOMweb 服务器出错（HTTP {status}），请稍后重试。",
            f"The DICOMweb server failed with HTTP {status}; try again later.",
        )
    return ImageProblem(
        "无法连接 DICOMweb 服务器，或它中途无响应，请检查地址和网络。",
        "The DICOMweb server cannot be reached, or fell silent; check address and network.",
    )


def _only(client: DICOMwebClient, study: str, wanted: Callable[[str], bool]) -> str:
    listed = client.search_for_series(study, fields=[_COUNT_TAG])
    found = {
        _value(one, _SERIES_TAG): (_value(one, _MODALITY_TAG), _value(one, _COUNT_TAG))
        for one in listed
    }
    fitting = {uid: about for uid, about in found.items() if uid and wanted(about[0])}
    if len(fitting) == 1:
        return next(iter(fitting))
    if not fitting:
        raise ImageProblem(
            "该检查没有合适的序列，请核对检查 UID。", "The study has no such series; check its UID."
        )
    shown = "；".join(
        f"{uid} {kind} {count or '?'} 幅" for uid, (kind, count) in list(fitting.items())[:_SHOWN]
    )
    raise ImageProblem(
        f"该检查有 {len(fitting)} 个序列，请在地址末尾写明序列 UID：{shown}。",
        "The study has several series; put the UID of one at the end of the address.",
    )


def _instances(client: DICOMwebClient, study: str, series: str) -> set[str]:
    """The instances that the server says there are; empty where it does not list them."""
    from requests import HTTPError

    found: set[str] = set()
    while True:
        try:
            page = client.search_for_instances(study, series, offset=len(found))
        except HTTPError as error:
            # Not every server has this search; a refusal is told by the fetching itself.
            if error.response is not None and error.response.status_code in (400, 404, 405, 501):
                return set()
            raise
        more = {_value(one, _INSTANCE_TAG) for one in page} - {""} - found
        # A server that does not know of pages gives the first again and again.
        if not more:
            return found
        found |= more


def _checked(found: list[Dataset], study: str, series: str, listed: set[str]) -> list[Dataset]:
    """The datasets, when they are what was asked for."""
    if not found:
        raise ImageProblem(
            "DICOMweb 服务器没有返回任何图像，请核对 UID。",
            "The DICOMweb server gave no instance; check the UIDs.",
        )
    for one in found:
        whose = (dicom.text(one, "StudyInstanceUID"), dicom.text(one, "SeriesInstanceUID"))
        if whose != (study, series):
            raise ImageProblem(
                "DICOMweb 服务器返回了其他序列的图像，已拒收。",
                "The DICOMweb server gave instances of another series; they are refused.",
            )
    lacking = listed - {dicom.text(one, "SOPInstanceUID") for one in found}
    if lacking:
        raise ImageProblem(
            f"DICOMweb 服务器列出 {len(listed)} 幅，少给了 {len(lacking)} 幅，请重试。",
            "The DICOMweb server lists more instances than it gave; try again.",
        )
    return found


def _value(item: Any, tag: str) -> str:
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0])
