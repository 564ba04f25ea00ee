"""Preferences from what doctors did with drafts: signed, corrected, liked, disliked."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assistant.store.deidentify import patient_names, texts_of
from assistant.training.data.line import Line, message
from assistant.training.data.surrogates import Surrogates

_SENTENCE = re.compile(r"[^。！？；;\n]*[。！？；;\n]+|[^。！？；;\n]+$")
_SHORTEST = 4


class Disguise:
    """Puts surrogates into the texts of a request: one `Surrogates` a patient, kept."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._of: dict[str, Surrogates] = {}
        self.groups: dict[str, str] = {}
        """Prompt as it is written → its patient, by a keyed hash."""

    @property
    def real_names(self) -> set[str]:
        """The names that were replaced, for a last look."""
        return {name for own in self._of.values() for name in own.known_names}

    def __call__(self, ids: tuple[str, str], texts: dict[str, Any]) -> dict[str, Any]:
        """``ids``: of patient and encounter.

        Raises:
            StillNamed: a name is left.
        """
        patient = ids[0]
        own = self._of.setdefault(patient, Surrogates(self._key, patient))
        own.know(patient_names(texts), ids)
        own.learn(texts_of(texts))
        made: dict[str, Any] = own.value(texts)
        prompt = made.get("prompt")
        text = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
        self.groups[text] = hmac.new(self._key, patient.encode(), hashlib.sha256).hexdigest()
        return made


def lines(
    rows: Iterable[dict[str, Any]], groups: Mapping[str, str] | None = None
) -> Iterator[Line]:
    """Preferences from the rows of a feedback export; ``groups``: see `Disguise.groups`, without
    which the prompt is the group.

    Of a pair both whole texts are a line, and each sentence that was written anew, behind what
    stands before it, is one more.  A like or dislike with nothing beside it is a line with a label
    (for KTO).
    """
    for row in rows:
        prompt = [message("user", str(row["prompt"]))]
        origin = {"source": "feedback", **{k: row.get(k) for k in ("kind", "section", "model")}}
        origin["way"] = row.get("source")
        chosen, rejected = row.get("chosen"), row.get("rejected")
        name = (groups or {}).get(str(row["prompt"]), str(row["prompt"]))
        if chosen is not None and rejected is not None:
            yield Line(
                {"prompt": prompt, "chosen": chosen, "rejected": rejected},
                name,
                {**origin, "unit": "text"},
            )
            for before, better, worse in aligned(rejected, chosen):
                said = [*prompt, message("user", _going_on(before))]
                yield Line(
                    {"prompt": said, "chosen": better, "rejected": worse},
                    name,
                    {**origin, "unit": "sentence"},
                )
        elif chosen is not None or rejected is not None:
            yield Line(
                {"prompt": prompt, "completion": chosen or rejected, "label": chosen is not None},
                name,
                {**origin, "unit": "text"},
            )


def aligned(draft: str, signed: str) -> Iterator[tuple[str, str, str]]:
    """(signed text so far, the sentences signed, the sentences of the draft that they replace)."""
    old, new = _sentences(draft), _sentences(signed)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        better, worse = "".join(new[c:d]).strip(), "".join(old[a:b]).strip()
        if tag == "replace" and min(len(better), len(worse)) >= _SHORTEST and (c or d < len(new)):
            yield "".join(new[:c]), better, worse


def _going_on(before: str) -> str:
    if not before.strip():
        return "请写第一句。"
    return f"已写好的部分：\n{before.strip()}\n请接着写下一句。"


def _sentences(text: str) -> list[str]:
    return [match[0] for match in _SENTENCE.finditer(text) if match[0].strip()]
