"""DocumentReference, Composition and DiagnosticReport: texts of the record."""

from __future__ import annotations

from assistant.interop.fhir.concept import codings, words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.moments import Instant, moment
from assistant.interop.fhir.narrative import text_of
from assistant.interop.fhir.reading.contents import content
from assistant.interop.fhir.reading.procedures import kind_of
from assistant.interop.fhir.scope import OTHER_STAY, Scope, is_known_status, is_left_out
from assistant.record.note import Note
from assistant.record.order import Order

_DOCUMENT_DROPPED = frozenset({"entered-in-error", "superseded"})
_DOCUMENT = _DOCUMENT_DROPPED | {"current"}
_COMPOSITION_DROPPED = frozenset({"entered-in-error"})
_COMPOSITION = _COMPOSITION_DROPPED | {"preliminary", "final", "amended"}
_REPORT_DROPPED = frozenset({"entered-in-error", "cancelled", "unknown"})
_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_EARLY = frozenset({"registered", "partial", "preliminary"})
_REPORT = _REPORT_DROPPED | _FINAL | _EARLY
_MOST_DEPTH = 8
_GENERATED = "AIAST"


def document(element: Element, scope: Scope) -> Note | None:
    """A DocumentReference's text as a note; several contents of one text are one."""
    status = element.text("status")
    if not is_known_status(element, status, _DOCUMENT):
        return None
    if is_left_out(element, status, _DOCUMENT_DROPPED):
        return None
    state = element.text("docStatus")
    if is_left_out(element, state, _DOCUMENT_DROPPED) or _is_generated(element, state):
        return None
    if element.identity in replaced(scope):
        is_left_out(element, "superseded", _DOCUMENT_DROPPED)
        return None
    encounters = element.child("context").children("encounter")
    time = moment(element, "date")
    if _is_other(element, encounters, time, scope):
        return None
    found = [content(c.child("attachment"), element, scope) for c in element.children("content")]
    # The same document as text and as a page: the plain text, else the page's.
    found.sort(key=lambda one: one.media_type != "text/plain")
    text = next((one.text for one in found if one.text), "")
    if not text:
        if not any(one.left for one in found):
            element.say("warning", "empty", "文书没有文字。(The document has no text.)")
        return None
    titles = [c.child("attachment").text("title") for c in element.children("content")]
    title = (
        element.text("description")
        or next((t for t in titles if t), "")
        or scope.words_of(element, "type")
    )
    return _note(element, scope, title, text, time, element.child("type"), _author(element, scope))


def composition(element: Element, scope: Scope) -> Note | None:
    """A Composition's sections as one note, each under its title."""
    status = element.text("status")
    if not is_known_status(element, status, _COMPOSITION):
        return None
    if is_left_out(element, status, _COMPOSITION_DROPPED) or _is_generated(element, status):
        return None
    time = moment(element, "date")
    if _is_other(element, [element.child("encounter")], time, scope):
        return None
    lines = [line for s in element.children("section") for line in _section(s, scope, 0)]
    text = "\n".join(lines) or _div(element)
    if not text:
        element.say("warning", "empty", "文书没有文字。(The document has no text.)")
        return None
    title = element.text("title") or scope.words_of(element, "type")
    return _note(element, scope, title, text, time, element.child("type"), _author(element, scope))


def report(element: Element, scope: Scope) -> tuple[Note | None, Order | None]:
    """(the report's text, an order whose result is not back) of a DiagnosticReport."""
    status = element.text("status")
    if not is_known_status(element, status, _REPORT):
        return None, None
    if is_left_out(element, status, _REPORT_DROPPED):
        return None, None
    time = moment(element, "effectiveDateTime", "effectivePeriod", "issued")
    if scope.is_other_stay(element, time):
        scope.leave_out(element, "stay", OTHER_STAY)
        return None, None
    name = scope.words_of(element)
    coded = "、".join(
        w for c in element.children("conclusionCode") if (w := words(c, scope.mapping))
    )
    forms = [content(form, element, scope) for form in element.children("presentedForm")]
    whole = next((form.text for form in forms if form.text), "") or _div(element)
    conclusion = element.long_text("conclusion").strip() or coded
    parts = [whole]
    if conclusion and conclusion not in whole:
        parts.append(f"结论：{conclusion}")
    text = "\n".join(part for part in parts if part)
    if text:
        title = f"{name}（初步报告）" if status in _EARLY else name
        return _note(element, scope, title, text, time, element.child("code"), ""), None
    if status not in _EARLY:
        return None, None
    waiting = scope.row(
        Order,
        element,
        id=scope.identifier(element),
        kind=kind_of(element, name, scope),
        text=name,
        ordered_at=time.at,
        status="pending",
    )
    return None, waiting


def replaced(scope: Scope) -> set[tuple[str, str]]:
    """The documents that others of the reading replace."""
    found = set()
    for element in scope.resources.of_type("DocumentReference"):
        if element.text("status") != "current":
            continue
        for relation in element.children("relatesTo"):
            if relation.text("code") == "replaces":
                name = scope.resources.name_of(relation.child("target"), element)
                if name is not None:
                    found.add(name)
    return found


def _is_generated(element: Element, status: str) -> bool:
    """Whether a program wrote it and nobody has signed it: that supports nothing."""
    if status != "preliminary":
        return False
    labels = element.child("meta").children("security")
    if not any(label.text("code") == _GENERATED for label in labels):
        return False
    element.say(
        "information",
        "generated",
        "人工智能生成且未签名的草稿不作为依据，未纳入。"
        "(A generated draft that nobody has signed supports nothing; left out.)",
    )
    return True


def _is_other(element: Element, encounters: list[Element], time: Instant, scope: Scope) -> bool:
    names = [scope.resources.name_of(e, element) for e in encounters if e]
    stays = [name for name in names if name is not None and name[0] == "Encounter"]
    if stays and scope.encounter_id:
        other = ("Encounter", scope.encounter_id) not in stays
    else:
        other = scope.is_other_stay(element, time)
    if other:
        scope.leave_out(element, "stay", OTHER_STAY)
    return other


def _note(
    element: Element,
    scope: Scope,
    title: str,
    text: str,
    time: Instant,
    type_: Element,
    author: str,
) -> Note | None:
    coded = (scope.mapping.word("note_codes", system, code) for system, code, _ in codings(type_))
    by_code = next((kind for kind in coded if kind), "other")
    kind = scope.mapping.kind("note_titles", title, "") or by_code
    return scope.row(
        Note,
        element,
        id=scope.identifier(element),
        kind=kind,
        title=title[:500],
        written_at=time.at,
        author=author[:500],
        text=text,
    )


def _author(element: Element, scope: Scope) -> str:
    for reference in element.children("author"):
        target = scope.resources.target(reference, element)
        names = target.children("name") if target is not None else []
        name = next((n.text("text") for n in names if n.text("text")), "")
        if said := reference.text("display") or name:
            return said
    return ""


def _section(section: Element, scope: Scope, depth: int) -> list[str]:
    title = section.text("title") or words(section.child("code"), scope.mapping)
    lines = [_headed(title, _div(section))] if _div(section) or title else []
    if depth < _MOST_DEPTH:
        for inner in section.children("section"):
            lines.extend(_section(inner, scope, depth + 1))
    return [line for line in lines if line]


def _headed(title: str, text: str) -> str:
    """``title：text``; a text that begins with its title keeps it once."""
    if not title or text.startswith(title):
        return text
    return f"{title}：{text}" if text else title + "："


def _div(element: Element) -> str:
    return text_of(element.child("text").long_text("div"))
