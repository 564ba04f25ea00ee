"""``bedside kb``: build the knowledge base, show it, search it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.commands import kb_entries
from assistant.commands.progress import Report, console, progress
from assistant.opening import open_knowledge
from assistant.settings import Settings

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase
    from knowledge.coding.coding import Code
    from knowledge.sources import KnowledgeSource

app = typer.Typer(no_args_is_help=True, help="The knowledge base: build, show, search.")
app.command("lint", epilog="Example: bedside kb lint /srv/entries/cardiology.yaml")(kb_entries.lint)
app.command("entry", epilog="Example: bedside kb entry 急性心肌梗死")(kb_entries.entry)
app.command("review", epilog='Example: bedside kb review 急性心肌梗死 --by "王芳 主任医师"')(
    kb_entries.review
)

CMEKG_PACKAGE = ("pycmekg", "0.2.5")
CMEKG_SHA256 = "f9ef3704c19b767973f58f4c3bd50bf46ea175b4859184f4b2777e328d8b90a9"

Files = Annotated[list[Path] | None, typer.Option(exists=True)]


@app.command(
    epilog="Example: bedside kb build --icd10 icd10_national.tsv --guidelines /srv/guidelines"
)
def build(
    cmekg: Annotated[
        Path | None, typer.Option(exists=True, help="CMeKG archive; default: fetched.")
    ] = None,
    no_clinical: Annotated[
        bool, typer.Option("--no-clinical", help="Leave the curated entries out.")
    ] = False,
    no_cmekg: Annotated[bool, typer.Option("--no-cmekg", help="Leave CMeKG out.")] = False,
    no_rare: Annotated[
        bool, typer.Option("--no-rare", help="Leave the rare diseases (extra 'rare') out.")
    ] = False,
    hpo_chinese: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Chinese names of HPO's phenotypes (babelon TSV)."
        ),
    ] = None,
    records: Files = None,
    icd10: Files = None,
    guidelines: Annotated[list[Path] | None, typer.Option(exists=True, file_okay=False)] = None,
    lexical_first: Annotated[
        bool,
        typer.Option(
            "--lexical-first",
            help="Leave the vectors to the server, which searches by words until it has made them.",
        ),
    ] = False,
) -> None:
    """Build graph, passages and indexes from their sources; nothing is done twice.

    The curated entries are those that ship and the hospital's own (<home>/clinical).
    Rare diseases are in where the extra 'rare' is installed; --hpo-chinese gives their phenotypes
    Chinese names. --records are disease records in JSON lines, --icd10 code tables (TSV),
    --guidelines folders of Markdown, text and HTML files; other files in them are named and left
    out.
    """
    from assistant.base_drugs import drugs_of
    from knowledge.base import KnowledgeBase
    from knowledge.sources import ClinicalEntries, CMeKG, DiseaseRecords, Guidelines, Icd10Table
    from serving.encoder.text_encoder import open_encoder
    from serving.models import package_index

    settings = Settings()
    with progress() as report:
        sources: list[KnowledgeSource] = []
        if not no_clinical:
            sources.append(ClinicalEntries([settings.clinical_folder]))
        missing = ""
        if not no_cmekg:
            try:
                sources.append(CMeKG(cmekg or fetch_cmekg(settings, report)))
            except package_index.PackageUnavailable as error:
                if not sources:
                    raise
                missing = str(error)
        if not no_rare:
            sources += _rare(hpo_chinese)
        sources += [DiseaseRecords(path) for path in records or []]
        sources += [Icd10Table(path) for path in icd10 or []]
        texts = [Guidelines(path) for path in guidelines or []]
        sources += texts
        if not sources:
            raise typer.BadParameter("no source is left to build from")
        encoder = open_encoder(settings.encoder)
        base = KnowledgeBase.build(
            sources,
            settings.knowledge_folder,
            encoder,
            lambda stage, done, total: report(done, total, stage),
            vectors=not lexical_first,
        )
    if missing:
        console.print(
            f"未取得 CMeKG，仅用临床知识库条目建立；联网后可再次运行 bedside kb build。"
            f"Built from the curated entries without CMeKG: {missing}",
            style="yellow",
            markup=False,
        )
    for line in (line for text in texts for line in text.left_out):
        console.print(f"未读入 left out: {line}", style="yellow", markup=False, soft_wrap=True)
    drugs_of(base)  # kept beside the base for the first note
    _describe(base)
    if base.waits_for_vectors:
        console.print(
            "目前仅词汇检索；`bedside serve` 会在后台建立向量。"
            "Search is by words only; `bedside serve` makes the vectors behind it."
        )


def _rare(hpo_chinese: Path | None) -> list[KnowledgeSource]:
    """The rare diseases where their package is there; nothing is fetched for them.

    Raises `typer.BadParameter` for Chinese names without it.
    """
    from knowledge.rare.ontology import MISSING, is_installed
    from knowledge.rare.source import ChineseNames, RareDiseases

    if not is_installed():
        if hpo_chinese is not None:
            raise typer.BadParameter(MISSING, param_hint="--hpo-chinese")
        return []
    names = ChineseNames(hpo_chinese) if hpo_chinese is not None else None
    return [RareDiseases(names), *([names] if names else [])]


def fetch_cmekg(settings: Settings, report: Report) -> Path:
    """The CMeKG archive in the downloads folder, its hash checked; fetched once."""
    from serving.models import package_index
    from serving.models.manifest import sha256_of

    project, version = CMEKG_PACKAGE
    folder = settings.home / "downloads"
    path = package_index.download(project, version, folder, report, kind="sdist")
    if sha256_of(path) != CMEKG_SHA256:
        path.unlink()
        raise package_index.PackageUnavailable(
            f"The file of {project} {version} is not the known one; it was deleted."
        )
    return path


@app.command(
    "train-coding", epilog="Example: bedside kb train-coding coded_diagnoses.jsonl --system icd10"
)
def train_coding(
    examples: Annotated[
        Path, typer.Argument(exists=True, help="JSON lines: text, normalized_result (##); .gz too.")
    ],
    system: Annotated[str, typer.Option(help="Code table of the base; default: the largest.")] = "",
    table: Annotated[
        Path | None, typer.Option(exists=True, help="A code table (TSV) outside of the base.")
    ] = None,
) -> None:
    """Train the ranker that gives diagnoses their standard terms, on diagnoses coded before.

    The last tenth of the file is held out, and the scores on it are shown.  The ranker keeps the
    diagnoses in the home folder, as it compares new ones with them.
    """
    from knowledge.coding.normalization import RANKER
    from knowledge.coding.normalization_training import read_examples, train

    settings = Settings()
    codes = _codes(settings, system, table)
    with progress() as report:
        ranker, scores, rule = train(read_examples(examples), codes, report)
    path = settings.home / "knowledge" / RANKER
    ranker.save(path)
    shown = Table("", "precision", "recall", "F1")
    for name, figures in (("ranker", scores), ("rule alone", rule)):
        values = (figures.precision, figures.recall, figures.f1)
        shown.add_row(name, *(f"{value:.3f}" for value in values))
    console.print(shown)
    console.print(f"{scores.diagnoses} held-out diagnoses; {path}", soft_wrap=True)


def _codes(settings: Settings, system: str, table: Path | None) -> list[Code]:
    """The codes of one table."""
    from knowledge.coding.coding import Code
    from knowledge.sources import Icd10Table

    if table is not None:
        facts = Icd10Table(table).facts()
        return [Code(fact.object, fact.subject, fact.source.name) for fact in facts]
    base, _ = open_knowledge(settings)
    if base is None:
        raise typer.Exit(1)
    sizes = Counter(code.system for code in base.codes)
    if not sizes:
        raise typer.BadParameter("the knowledge base has no code table: bedside kb build --icd10")
    chosen = system or sizes.most_common(1)[0][0]
    if chosen not in sizes:
        raise typer.BadParameter(f"no code table {chosen}; there are: {', '.join(sizes)}")
    return [code for code in base.codes if code.system == chosen]


@app.command()
def show() -> None:
    """The version of the base, its sources and their counts."""
    base, _ = open_knowledge(Settings())
    if base is None:
        raise typer.Exit(1)
    _describe(base)


@app.command(epilog="Example: bedside kb search 过敏性鼻炎 检查")
def search(
    words: Annotated[list[str], typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Search the passages."""
    base, _ = open_knowledge(Settings())
    if base is None:
        raise typer.Exit(1)
    how = "混合检索 hybrid" if base.retrieval == "hybrid" else "仅词汇检索 by words only"
    console.print(how, style="dim")
    for hit in base.index.search(" ".join(words), limit):
        console.rule(f"{hit.passage.title}  ({hit.passage.source})")
        console.print(hit.passage.text)


def _describe(base: KnowledgeBase) -> None:
    table = Table("source", "version", "licence", "facts", "passages")
    for source in base.sources:
        table.add_row(
            source.name,
            source.version[:16],
            source.licence,
            str(source.facts),
            str(source.passages),
        )
    console.print(table)
    console.print(f"知识库 knowledge base {base.version[:16]}: {len(base.graph)} 种疾病 diseases")
    if base.rare is None:
        console.print(
            "罕见病提示未收录：安装可选组件 'bedside[rare]' 后再运行 bedside kb build。"
            "Rare diseases are not in: install the extra 'rare' and build again.",
            markup=False,
        )
    else:
        console.print(f"罕见病提示 rare diseases to think of: {len(base.rare.table.diseases)} 种")
