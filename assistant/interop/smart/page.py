"""The pages of a launch: who is logged in for whom, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.interop.smart.session import Session

_ROLES = {"doctor": "医师", "nurse": "护士", "pharmacist": "药师", "student": "学生"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; "
    "base-uri 'none'; frame-ancestors 'none'",
}
_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}"
    ".alert{border-left:.3rem solid #b00;padding-left:.8rem}"
    "input{font:inherit;width:100%;box-sizing:border-box}label{display:block;margin:.4rem 0}"
)


def refused(sentence: str, status: int) -> HTMLResponse:
    """What the doctor reads where a launch ends."""
    return _page("无法打开 Not opened", f"<p class=alert role=alert>{escape(sentence)}</p>", status)


def session_page(session: Session, drafts: Sequence[tuple[str, str, str]]) -> HTMLResponse:
    """The session; ``drafts`` are (title, made at, state) of its patient."""
    rows = (
        ("用户 User", f"{session.actor_id}（{_ROLES.get(session.role, session.role)}）"),
        ("患者 Patient", session.patient_id),
        ("就诊 Encounter", session.encounter_id or "—"),
    )
    table = "".join(f"<tr><th>{escape(n)}<td>{escape(v)}" for n, v in rows)
    opened = "".join(
        f"<p class=alert role=alert>紧急访问 break-glass：{escape(patient)} {escape(stay)}，"
        "已记入审计。(In the audit.)</p>"
        for patient, stay in session.opened
    )
    listed = "".join(
        f"<tr><td>{escape(title)}<td>{escape(at)}<td>{escape(state)}" for title, at, state in drafts
    )
    body = (
        f"{opened}<table>{table}</table><h2>草稿 Drafts</h2>"
        f"<table>{listed or '<tr><td>没有草稿。(There are no drafts.)'}</table>"
        f"<p>{escape(DISCLAIMER_ZH)}<br>{escape(DISCLAIMER_EN)}</p>"
        "<p><a href=/>打开工作台 Open the pages</a></p>"
        "<form method=post action=/smart/logout><button>退出 Log out</button></form>"
        "<details><summary>紧急访问另一患者 Break-glass</summary>"
        "<form method=post action=/smart/break-glass>"
        "<label>患者编号 Patient<input name=patient_id required maxlength=64></label>"
        "<label>就诊编号 Encounter<input name=encounter_id maxlength=64></label>"
        "<label>理由（必填，记入审计）Reason"
        "<input name=reason required minlength=10 maxlength=500></label>"
        "<button>打开 Open</button></form></details>"
    )
    return _page("Bedside", body, 200)


def _page(title: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang=zh-CN><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}",
        status,
        headers=_HEADERS,
    )
