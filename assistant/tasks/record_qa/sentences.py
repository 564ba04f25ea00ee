"""The sentences that a model wrote, each checked against what its tools gave and the record."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.draft import Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Scope, Segment, segment_notes, split_sentences
from assistant.record.evidence import Evidence
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.series import OTHER_BED
from knowledge.text.extraction import FindingExtractor
from knowledge.text.terms import load_findings

NOT_RECORDED = "病历未记载"
MOST_EVIDENCE = 5
_TOOL = "tool:"


def checked(
    reading: RecordReading, text: str, results: Sequence[RecordAnswer] = ()
) -> list[Statement]:
    """Each sentence with its evidence, or what is wrong with it.

    A sentence that a tool's statement supports has the places of that statement: a number that was
    computed stands in no note.
    """
    encounter = reading.encounter
    admitted = reading.admitted.date() if reading.admitted else None
    segments, places = _of_tools(reading, results)
    # What a note tells of the patient in the next bed supports nothing about this one.
    noted = segment_notes(encounter.all_notes(), admitted)
    grounder = Grounder(
        [s for s in [*segments, *noted] if not OTHER_BED.search(s.text)],
        findings_of=FindingExtractor(load_findings()).extract,
        drugs_of=drug_names(m.name for m in encounter.medications),
        patient_names=[reading.name],
        patient_sex=encounter.patient.sex,
    )
    found: list[Statement] = []
    for start, end in split_sentences(text):
        bare = text[start:end].strip(" 。，\n")
        # That the record does not say is no finding of it: it is shown, never as supported.
        if not bare or bare.startswith(NOT_RECORDED):
            continue
        said = grounder.ground(f"a-{len(found) + 1}", bare + "。")
        found.append(said.model_copy(update={"evidence": _own(said, places)}))
    return found


def _of_tools(
    reading: RecordReading, results: Sequence[RecordAnswer]
) -> tuple[list[Segment], dict[str, list[Evidence]]]:
    """The statements of tools as sentences to check against, and the places of each."""
    notes = {note.note.id: note for note in reading.notes}
    segments: list[Segment] = []
    places: dict[str, list[Evidence]] = {}
    for statement in (s for result in results for s in result.statements):
        if statement.status != "supported":
            continue
        name = f"{_TOOL}{len(segments)}"
        scope = Scope.REFERENCE if statement.origin == "knowledge" else Scope.STAY
        for place in statement.evidence:
            note = notes.get(place.note_id) if place.kind == "span" else None
            if note is not None and place.kind == "span":
                scope = note.scope(place.start)
                break
        text = statement.text
        segments.append(Segment(name, 0, len(text), text, "", scope))
        places[name] = list(statement.evidence)
    return segments, places


def _own(said: Statement, places: dict[str, list[Evidence]]) -> list[Evidence]:
    """The evidence with the places of tools' statements in the statements' stead."""
    found: list[Evidence] = []
    for one in said.evidence:
        name = one.note_id if one.kind == "span" else ""
        if one.kind == "passage":
            name = one.passage_id or ""
        found += places.get(name, [one])
    return list(dict.fromkeys(found))[:MOST_EVIDENCE]
