"""The page 系统: which models serve, what the knowledge base is, whether the audit is whole."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from assistant.api.context import Services
from assistant.api.imaging_releases import releases
from assistant.monitoring.model_way import model_ways
from assistant.ui.frame import Frame
from assistant.ui.markup import badge, esc
from assistant.ui.model_ways import ways
from assistant.ui.review import pairs, weekly
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text
from serving.engine import Engine
from serving.engines.replicas import ReplicatedEngine

LOOK_SECONDS = 2.0
"""How often the page looks again while something is under way."""

ADD_MODEL = """bedside model list
bedside model add my-model --folder /srv/models/my-model
bedside model verify my-model"""
RELEASE = "bedside imaging-release on detection --by NAME --reason WHY"
CONFIGURATION = """default_engine = "ward"

[engines.ward]
kind = "openvino"
model = "my-model"

[engines.remote]
kind = "remote"
model = "name-on-the-server"
url = "http://127.0.0.1:9000/v1"

[[panel]]
name = "my-model"
engine = "ward"
"""


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    parts = frame.parts
    with gr.Column(elem_classes="sheet"):
        shown = gr.HTML(
            elem_classes=["panel"], elem_id="system", apply_default_css=False, padding=False
        )
        stand = gr.HTML(
            elem_classes=["panel"], elem_id="model-ways", apply_default_css=False, padding=False
        )
        weekly.build(frame)
        pairs.build(frame)
        verify = frame.labelled(
            gr.Button(t("system.verify"), size="sm", elem_id="verify-audit", scale=0),
            "system.verify",
            "value",
        )
        verified = gr.HTML(
            elem_classes=["panel"], elem_id="verified", apply_default_css=False, padding=False
        )

    timer = gr.Timer(LOOK_SECONDS, active=False)

    async def look(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await parts.approvals.refresh()
        under_way = parts.vectors.progress.state == "running"
        shown = await asyncio.to_thread(page, parts, session)
        return [shown, gr.Timer(active=under_way)]

    async def opened(session: Session, request: gr.Request) -> list[Any]:
        """Where models stand is counted from their drafts: not anew every few seconds."""
        shown_now = await look(session, request)
        found = await asyncio.to_thread(model_ways, parts)
        return [*shown_now, _card("system.ways", ways(found, session.text), session.text)]

    async def check(session: Session, request: gr.Request) -> str:
        identify(session, request)
        report = await asyncio.to_thread(parts.store.audit.verify)
        text = session.text
        if report.ok:
            said = text("system.verified", n=report.rows)
        else:
            said = text("system.broken", seq=report.first_bad_seq, reason=report.reason)
        css = "good" if report.ok else "bad"
        return f'<p class="notice {css}" role="status">{esc(said)}</p>'

    frame.on_tab("system", opened, [shown, timer, stand])
    timer.tick(
        look,
        frame.session,
        [shown, timer],
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    verify.click(check, frame.session, verified, show_progress="hidden", api_visibility="private")


def page(parts: Services, session: Session) -> str:
    """The page's HTML."""
    t = session.text
    sections = (
        ("system.missing", _missing(parts, t)),
        ("system.engines", _engines(parts, t)),
        ("system.knowledge", _knowledge(parts, t)),
        ("system.releases", _releases(parts, t)),
        ("system.add", _add(t)),
        (
            "system.api",
            f'<p><a href="docs">{esc(t("system.docs"))}</a> · '
            '<a href="openapi.json">OpenAPI</a> · <a href="readyz">readyz</a></p>',
        ),
        ("system.audit", f'<p class="hint">{esc(t("system.verify.hint"))}</p>'),
    )
    return "".join(_card(key, body, t) for key, body in sections)


def _card(key: str, body: str, t: Text) -> str:
    title = esc(t(key))
    return f'<section class="card" aria-label="{title}"><h3>{title}</h3>{body}</section>'


def _missing(parts: Services, t: Text) -> str:
    lines = [] if parts.has_knowledge else [t("knowledge_missing")]
    if parts.has_knowledge and (notice := parts.knowledge.notice):
        lines.append(_vectors(parts, t) or notice)
    lines += [s.problem for s in parts.engines.slots.values() if s.problem]
    if not lines:
        return f'<p class="notice good">{esc(t("system.complete"))}</p>'
    return "".join(f'<p class="notice warn">{esc(line)}</p>' for line in lines)


def _vectors(parts: Services, t: Text) -> str:
    """How far the vectors are that are made behind the server; "" where none are."""
    progress = parts.vectors.progress
    if progress.state == "failed":
        return t("system.vectors.failed", reason=progress.problem)
    if progress.state != "running":
        return ""
    if not progress.total:
        return t("system.vectors.starting")
    share = f"{progress.done / progress.total:.0%}"
    return t("system.vectors.running", done=progress.done, total=progress.total, share=share)


def _engines(parts: Services, t: Text) -> str:
    engines = parts.engines
    rows = "".join(
        f"<tr><td>{esc(slot.name)}</td><td>{esc(slot.settings.kind)}</td>"
        f"<td>{esc(engines.describe(slot.name))}{_replicas(slot.engine, t)} "
        f"{badge(t('demo_only'), 'demo') if slot.demo_only else badge(t('approved'), 'good')}</td>"
        f'<td><span class="engine {esc(slot.state)}"><span class="dot"></span>'
        f"{esc(t('state.' + slot.state))}</span></td>"
        f'<td class="number">{esc(t("seconds", n=slot.seconds))}</td></tr>'
        for slot in engines.slots.values()
    )
    heads = "".join(
        f'<th scope="col">{esc(t(key))}</th>'
        for key in (
            "system.name",
            "system.kind",
            "system.model",
            "system.state",
        )
    )
    heads += f'<th scope="col" class="number">{esc(t("system.opened"))}</th>'
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _replicas(engine: Engine | None, t: Text) -> str:
    """How many of an engine's replicas answer; nothing for a single one."""
    if not isinstance(engine, ReplicatedEngine):
        return ""
    up = sum(one.state == "ready" for one in engine.replicas)
    said = t("system.replicas", up=up, all=len(engine.replicas))
    return f' <span class="hint">{esc(said)}</span>'


def _knowledge(parts: Services, t: Text) -> str:
    if not parts.has_knowledge:
        return f'<p class="notice warn">{esc(t("knowledge_missing"))}</p>'
    base = parts.knowledge
    rows = "".join(
        f"<tr><td>{esc(s.name)}</td><td>{esc(s.version)}</td><td>{esc(s.licence)}</td>"
        f'<td class="number">{s.facts:,}</td><td class="number">{s.passages:,}</td></tr>'
        for s in base.sources
    )
    heads = "".join(
        f'<th scope="col">{esc(t(key))}</th>'
        for key in (
            "system.sources",
            "system.version",
            "system.licence",
        )
    )
    heads += "".join(
        f'<th scope="col" class="number">{esc(t(key))}</th>'
        for key in ("system.facts", "system.passages")
    )
    return (
        f"<p>{esc(t('system.version'))} <code>{esc(base.version)}</code> · "
        f"{esc(t('system.retrieval.' + base.retrieval))}</p>"
        f"{_progress(parts)}"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _progress(parts: Services) -> str:
    progress = parts.vectors.progress
    if progress.state != "running" or not progress.total:
        return ""
    return f'<progress value="{progress.done}" max="{progress.total}"></progress>'


def _releases(parts: Services, t: Text) -> str:
    """Each imaging task: whether its results may be filled in, and who said so."""
    rows = ""
    for one in releases(parts):
        title = parts.tasks[one.kind].title
        state = badge(t("system.release.off"), "demo")
        said = ""
        if one.is_on and one.created_at is not None:
            state = badge(t("system.release.on"), "good")
            said = f"{one.switched_by} · {one.created_at.astimezone():%Y-%m-%d} · {one.reason}"
        name = title.zh if t.language == "zh" else title.en
        rows += f"<tr><td>{esc(name)}</td><td>{state}</td><td>{esc(said)}</td></tr>"
    hint = f'<p class="hint">{esc(t("system.releases.hint"))}</p><pre>{esc(RELEASE)}</pre>'
    return f"{hint}<table><tbody>{rows}</tbody></table>"


def _add(t: Text) -> str:
    return (
        f"<p>{esc(t('system.add.text'))}</p><div class='side-by-side'>"
        f"<pre>{esc(ADD_MODEL)}</pre><pre>{esc(CONFIGURATION)}</pre></div>"
    )
