"""Prometheus metrics: counts and times, never a word of a patient's."""

from __future__ import annotations

import time
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""A caller may send any word as its method; what is not one of these must not become a label."""

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "bedside_http_requests_total",
            "HTTP requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "bedside_http_request_seconds",
            "Seconds until the last byte",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.jobs = Gauge(
            "bedside_jobs", "Accepted requests by status", ["status"], registry=self.registry
        )
        self.engines = Gauge(
            "bedside_engine_ready", "1 when the engine answers", ["engine"], registry=self.registry
        )
        self.knowledge = Gauge(
            "bedside_knowledge_ready", "1 when a knowledge base is open", registry=self.registry
        )

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request was answered; ``path`` is its route's template."""
        self.requests.labels(method, path, status).inc()
        self.seconds.labels(path).observe(seconds)


class Counting(Protocol):
    """What counts requests: the metrics, or what tells another process of them."""

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request was answered."""


class Measured:
    """Middleware that counts requests by the route's template, so that no id becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Counting) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = scope.get("route")
            path = route.path if isinstance(route, Route) else "other"
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.count(method, path, status, time.perf_counter() - started)
