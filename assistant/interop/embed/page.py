"""The embedded page: a frame for one stay; what it shows, its script fetches."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files

from starlette.responses import HTMLResponse, Response

from assistant.draft import DISCLAIMER_ZH
from assistant.interop.embed.grant import Grant
from assistant.work.task import Title

ASSETS = {
    "bedside-embed.js": "text/javascript",
    "page.js": "text/javascript",
    "page.css": "text/css",
}


def asset(name: str) -> Response:
    """A file of the page, or the script that a host includes."""
    found = files("assistant.interop.embed").joinpath("assets", name).read_text("utf-8")
    # The host's page, of another origin, loads the script; it holds nothing of anybody.
    headers = {"Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(found, media_type=ASSETS[name], headers=headers)


def embedded(grant: Grant, title: Title, token: str, fillable: bool) -> HTMLResponse:
    """The page of a grant; only the page around it that the grant names may show it."""
    settings = json.dumps(
        {"token": token, "origin": grant.origin, "task": grant.task, "fillable": fillable}
    ).replace("<", "\\u003c")
    body = (
        f'<header><h1>{escape(title.zh)}</h1><p id="who">{escape(grant.patient_id)} · '
        f"{escape(grant.encounter_id)} · {escape(grant.actor_id)}</p></header>"
        f'<p id="state" role="status"></p><main id="drafts"></main>'
        f"<footer>{escape(DISCLAIMER_ZH)}</footer>"
        f'<script type="application/json" id="session">{settings}</script>'
        '<script src="page.js"></script>'
    )
    return _page(title.zh, body, 200, grant.origin)


def refused(sentence: str, status: int) -> HTMLResponse:
    """What is shown where a page may not be opened: a sentence without anything of a patient."""
    return _page("Bedside", f'<p class="bad" role="alert">{escape(sentence)}</p>', status, "*")


def _page(title: str, body: str, status: int, ancestors: str) -> HTMLResponse:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    # Old browsers know this form alone; others go by frame-ancestors and ignore it.
    headers["X-Frame-Options"] = f"ALLOW-FROM {ancestors}"
    return HTMLResponse(
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="page.css">{body}',
        status,
        headers=headers,
    )
