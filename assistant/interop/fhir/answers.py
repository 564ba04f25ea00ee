"""Answers of ``/fhir``: resources as FHIR calls them, errors as OperationOutcomes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from assistant.api.problems import TITLES
from assistant.interop.fhir.outgoing.outcome import outcome
from assistant.store import DraftNotFound, RequestNotFound
from assistant.store.errors import InvalidArgument

MEDIA_TYPE = "application/fhir+json"
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": TITLES[status], "content": {MEDIA_TYPE: {}}}
    for status in (400, 401, 403, 404, 409)
}
"""The ``responses`` of its routes."""


class FhirResponse(JSONResponse):
    """JSON as FHIR calls it."""

    media_type = MEDIA_TYPE


class FhirRoute(APIRoute):
    """A route whose errors are OperationOutcomes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors answered."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                headers = dict(error.headers or {})
                return FhirResponse(
                    outcome(error.status_code, str(error.detail)), error.status_code, headers
                )
            except RequestValidationError:
                said = "请求参数不符合要求，见 /fhir/metadata。(A parameter is not valid.)"
                return FhirResponse(outcome(400, said), 400)
            except (DraftNotFound, RequestNotFound) as error:
                return FhirResponse(outcome(404, str(error)), 404)
            except InvalidArgument as error:
                return FhirResponse(outcome(400, str(error)), 400)

        return answered
