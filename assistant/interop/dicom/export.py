"""A folder of DICOM files as de-identified copies in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assistant.imaging import dicom
from assistant.imaging.out.product import written
from assistant.imaging.problem import ImageProblem
from assistant.interop.dicom.deidentify import Deidentifier
from assistant.whole_file import whole

Report = Callable[[int, int, str], None]
"""(done, total, what)"""

MOST_BYTES = 2 * 1024**3


@dataclass
class Exported:
    """How many files were written, and which were not, by why."""

    written: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    burned: int = 0
    recognizable: int = 0


def export(
    folder: Path,
    out: Path,
    deidentifier: Deidentifier,
    report: Report,
    *,
    without_burned: bool = False,
) -> Exported:
    """Write the copies as ``out/PATIENT/SERIES/NUMBER.dcm``, by their new ids.

    ``without_burned``: what may have writing in its pixels is left out.  Raises `ImageProblem` for
    folders that cannot be used.
    """
    if not folder.is_dir():
        raise ImageProblem("没有这个文件夹，请检查路径。", "There is no such folder.")
    if out.resolve().is_relative_to(folder.resolve()):
        raise ImageProblem(
            "输出文件夹不能在源文件夹之内，请换一个。", "The output must lie outside of the source."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ImageProblem(
            "输出文件夹不是空的，请换一个，以免混入旧文件。",
            "The output folder is not empty; name another, so that nothing old is mixed in.",
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    done = Exported()
    for number, path in enumerate(files, start=1):
        _one(path, out, deidentifier, done, without_burned)
        report(number, len(files), "去标识 de-identified")
    done.burned = deidentifier.warnings["burned"]
    done.recognizable = deidentifier.warnings["recognizable"]
    return done


def _one(
    path: Path, out: Path, deidentifier: Deidentifier, done: Exported, without_burned: bool
) -> None:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImageProblem("文件过大。", "The file is too large.")
        data = path.read_bytes()
        if not dicom.is_dicom(data):
            done.passed_over["不是 DICOM 文件 no DICOM"] += 1
            return
        source = dicom.read(data)
        if dicom.sop_class(source) == dicom.DIRECTORY:
            done.passed_over["DICOMDIR 目录，含患者姓名 a directory"] += 1
            return
        before = deidentifier.warnings["burned"]
        made = deidentifier.copy(source)
        if without_burned and deidentifier.warnings["burned"] > before:
            done.passed_over["像素内可能有文字 pixels may have writing"] += 1
            return
        _write(out, made, written(made), done.written)
        done.written += 1
    except ImageProblem as problem:
        done.passed_over[str(problem)] += 1
    except OSError as error:
        raise ImageProblem(
            f"文件无法读写（{error.strerror or '?'}），请检查权限和空间。",
            "A file cannot be read or written; check permissions and space.",
        ) from None
    except Exception:
        # A broken file makes the library raise almost anything; its values must not be told.
        done.passed_over["文件损坏 a broken file"] += 1


def _write(out: Path, made: object, data: bytes, number: int) -> None:
    from pydicom import Dataset

    assert isinstance(made, Dataset)
    patient = dicom.text(made, "PatientID")
    # Of a series of Unix names 64 characters are no trouble.
    folder = out / patient / dicom.text(made, "SeriesInstanceUID")
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / f"{number + 1:06d}.dcm") as partial:
        partial.write_bytes(data)
