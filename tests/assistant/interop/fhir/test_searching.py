"""Reading a patient from a FHIR server that may be slow, down, or lie."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import fhir_samples as made
import httpx
import pytest

from assistant.interop.fhir.incoming import Incoming, read_resources
from assistant.interop.fhir.searching import Limits, Search, ServerFailed

BASE = made.BASE
Answer = Callable[[httpx.Request], Any]


def page(*resources: dict[str, Any], following: str = "") -> dict[str, Any]:
    bundle = {**made.bundle(*resources), "type": "searchset"}
    return {**bundle, "link": [{"relation": "next", "url": following}]} if following else bundle


def server(**answers: Any) -> tuple[httpx.MockTransport, list[str]]:
    """A server with the patient and the stay; ``answers`` by type replace its searches."""
    asked: list[str] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        kind, *rest = request.url.path.removeprefix("/fhir/").split("/")
        if rest:
            one = {"Patient": made.patient(), "Encounter": made.stay()}.get(kind)
            return httpx.Response(200, json=one)
        answer = answers.get(kind, page())
        found = answer(request) if callable(answer) else answer
        if asyncio.iscoroutine(found):
            found = await found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    return httpx.MockTransport(handle), asked


async def read(
    limits: Limits | None = None, **answers: Any
) -> tuple[Incoming, list[str], set[str]]:
    transport, asked = server(**answers)
    search = Search(BASE, "secret", limits or Limits(), transport)
    await search.record("p1", "e1")
    found = read_resources(search.resources, "p1", "e1")
    return found, asked, {p.code for p in search.problems.all()}


async def test_all_pages_are_read() -> None:
    def pages(request: httpx.Request) -> dict[str, Any]:
        number = int(request.url.params.get("page", "0"))
        following = f"{BASE}/Observation?page={number + 1}" if number < 4 else ""
        return page(made.observation(f"o{number}"), following=following)

    found, asked, problems = await read(Observation=pages, Condition=page(made.condition()))
    assert [o.id for o in found.encounter.observations] == ["o0", "o1", "o2", "o3", "o4"]
    assert found.encounter.diagnoses
    assert problems == set()
    assert any("_include=MedicationRequest%3Amedication" in url for url in asked)


@pytest.mark.parametrize(
    ("following", "code"),
    [
        (f"{BASE}/Observation?patient=p1&_count=200", "cycle"),
        ("https://elsewhere.example/fhir/Observation?page=2", "host"),
        ("http://his.example/fhir/Observation?page=2", "host"),
        ("https://his.example/admin?page=2", "host"),
        ("https://his.example/fhir/../admin", "host"),
        ("https://his.example:8443/fhir/Observation", "host"),
        ("https://x@his.example/fhir/Observation", "host"),
        ("https://[", "host"),
        ("file:///etc/passwd", "host"),
    ],
)
async def test_pages_elsewhere_and_in_a_circle_are_not_asked_for(following: str, code: str) -> None:
    found, asked, problems = await read(Observation=page(made.observation(), following=following))
    assert [o.id for o in found.encounter.observations] == ["o1"], "the rest is still read"
    assert problems == {code}
    assert all(url.startswith(f"{BASE}/") for url in asked)
    assert sum("/Observation?" in url for url in asked) == 1


async def test_endless_pages_end() -> None:
    def endless(request: httpx.Request) -> dict[str, Any]:
        number = int(request.url.params.get("page", "0"))
        return page(
            made.observation(f"o{number}"), following=f"{BASE}/Observation?page={number + 1}"
        )

    _, asked, problems = await read(Limits(pages=7), Observation=endless)
    assert sum("/Observation?" in url for url in asked) == 7
    assert problems == {"pages"}


async def test_a_slow_server_costs_its_time_and_no_more() -> None:
    async def slow(request: httpx.Request) -> dict[str, Any]:
        await asyncio.sleep(30)
        return page()

    found, _, problems = await read(
        Limits(page_seconds=0.05), Observation=slow, Condition=page(made.condition())
    )
    assert found.encounter.diagnoses
    assert problems == {"server"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b'{"entry": "rubbish", "link": 3}'),
    ],
)
async def test_answers_that_are_none_leave_the_rest(answer: httpx.Response) -> None:
    found, asked, _ = await read(Observation=answer, Condition=page(made.condition()))
    assert found.encounter.diagnoses
    assert all(url.startswith(BASE) for url in asked)


async def test_a_page_that_is_too_large_is_not_read() -> None:
    large = page(made.observation(note=[{"text": "x" * 5_000}]))
    found, _, problems = await read(Limits(page_bytes=4_000), Observation=large)
    assert found.encounter.observations == []
    assert problems == {"server"}


async def test_a_lying_server_brings_no_other_patients_data() -> None:
    lies = page(
        made.observation("o1", subject={"reference": "Patient/p2"}),
        made.patient("p2", name=[{"text": "测试乙"}]),
    )
    found, _, _ = await read(Observation=lies)
    assert found.encounter.observations == []
    assert found.encounter.patient.name == "测试甲"
    assert {p.code for p in found.problems} == {"patient"}


async def test_the_wrong_patient_ends_the_reading() -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(made.patient("p2")))

    with pytest.raises(ServerFailed, match="Patient"):
        await Search(BASE, transport=httpx.MockTransport(handle)).record("p1", "e1")


async def test_no_server_is_a_sentence() -> None:
    search = Search("http://127.0.0.1:1/fhir", limits=Limits(page_seconds=2))
    with pytest.raises(ServerFailed, match="无法连接"):
        await search.record("p1", "e1")
