"""Why a call gets no cards, each with the status that the specification has for it."""

from __future__ import annotations


class HookRefused(Exception):
    """A call that is refused; the message tells the client what to do and holds no patient text."""

    status = 400


class Unauthorized(HookRefused):
    """Who calls is not known.  What is wrong with the token is not told."""

    status = 401

    def __init__(self) -> None:
        super().__init__("未通过身份验证。(Not authorized.)")


class NotAllowed(HookRefused):
    """Who calls may not do this."""

    status = 403


class UnknownService(HookRefused):
    """No such service."""

    status = 404

    def __init__(self) -> None:
        super().__init__("没有这个服务，见 /cds-services。(No such service; see /cds-services.)")


class DataMissing(HookRefused):
    """The data that the service needs could not be had."""

    status = 412


class WrongPatient(DataMissing):
    """A FHIR server gave data of another patient than was asked for."""

    def __init__(self) -> None:
        super().__init__(
            "FHIR 服务器返回了其他患者的数据，未使用。(The FHIR server gave data of another "
            "patient; nothing of it was used.)"
        )


class PrefetchOfAnother(HookRefused):
    """The prefetch is of another patient than the context."""

    def __init__(self) -> None:
        super().__init__(
            "prefetch 与 context.patientId 不是同一患者。(The prefetch is of another patient than "
            "the context.)"
        )
