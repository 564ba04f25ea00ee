"""One folder a task: versioned Jinja templates, output schema, few-shots; data, no logic.

A template is ``<task>/<version>.jinja`` with two blocks, ``system`` and ``user``; the output schema
is ``<task>/schema.json`` and the examples are ``<task>/few_shots.json``.  `Template.version` names
a template by its content and examples, so that a changed prompt can never pass for the old one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("prompts", "."),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701 -- prompts are plain text, never markup
)


class PromptMissing(LookupError):
    """There is no such task or version."""


@dataclass(frozen=True)
class Template:
    """One version of a task's prompt."""

    task: str
    name: str
    version: str
    source: jinja2.Template

    def render(self, **values: Any) -> tuple[str, str]:
        """(system text, user text).  Raises jinja2.UndefinedError where a value is missing."""
        context = self.source.new_context(values)
        system, user = ("".join(self.source.blocks[b](context)) for b in ("system", "user"))
        return system.strip(), user.strip()


@cache
def template(task: str, name: str) -> Template:
    """The template ``name`` of ``task``.  Raises PromptMissing."""
    try:
        compiled = _ENVIRONMENT.get_template(f"{task}/{name}.jinja")
        text = (resources.files("prompts") / task / f"{name}.jinja").read_bytes()
    except (jinja2.TemplateNotFound, FileNotFoundError) as error:
        known = ", ".join(versions(task)) or "none"
        raise PromptMissing(f"no prompt {name!r} for {task!r}; there are: {known}") from error
    shots = resources.files("prompts") / task / "few_shots.json"
    examples = shots.read_bytes() if shots.is_file() else b""
    digest = hashlib.sha256(text + examples).hexdigest()[:8]
    return Template(task=task, name=name, version=f"{task}/{name}@{digest}", source=compiled)


@dataclass(frozen=True)
class FewShot:
    """An example exchange that stands before the real one."""

    user: str
    assistant: str


@cache
def few_shots(task: str) -> tuple[FewShot, ...]:
    """The task's examples, ``<task>/few_shots.json``; none where there is no such file."""
    path = resources.files("prompts") / task / "few_shots.json"
    if not path.is_file():
        return ()
    return tuple(FewShot(**entry) for entry in json.loads(path.read_text("utf-8")))


@cache
def fingerprint(task: str, name: str) -> str:
    """SHA-256 over all that a chain takes from here for ``name``: template, examples and schema.

    Raises PromptMissing.
    """
    _ = template(task, name)
    total = hashlib.sha256()
    for file in (f"{name}.jinja", "few_shots.json", "schema.json"):
        path = resources.files("prompts") / task / file
        data = path.read_bytes() if path.is_file() else b""
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


@cache
def versions(task: str) -> tuple[str, ...]:
    """Names of the templates of ``task``, sorted."""
    folder = resources.files("prompts") / task
    if not folder.is_dir():
        return ()
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(n.removesuffix(".jinja") for n in names if n.endswith(".jinja")))


def schema(task: str) -> dict[str, Any]:
    """A fresh copy of the task's JSON Schema.  Raises PromptMissing."""
    path = resources.files("prompts") / task / "schema.json"
    if not path.is_file():
        raise PromptMissing(f"no schema for {task!r}")
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded
