"""The models that read pages: where they lie, and that they are the ones that were tested.

They come inside the wheel of ``rapidocr`` (PP-OCRv6 small: detection and recognition; the
classifier of a line's orientation is of PP-OCRv2).  Only its files are used; its code is not
imported.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from serving.models.manifest import sha256_of

Part = Literal["detection", "recognition", "orientation"]

_FILES: dict[Part, tuple[str, str]] = {
    "detection": (
        "PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    ),
    "recognition": (
        "PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
    "orientation": (
        "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    ),
}
_EIGHT_BITS = {
    "detection_int8.xml": "83b75045a2a84631914e82ce9da29094ece557c2dd514f550aa675a549694d0a",
    "detection_int8.bin": "3cdb2b69687f88e3f28e14fcf22d81ad21bc3b8815ed28158f893dfd090ed015",
}
"""The detection above in eight bits, made by ``bench/bills_int8.py``; its input takes bytes."""
_CHARACTERS = ["framework", "character"]
_BLANK = ""


class OcrUnavailable(Exception):
    """Pages cannot be read here; the message says what to do."""


def path_of(part: Part) -> Path:
    """The file of one model, its content checked once a process.

    Raises:
        OcrUnavailable: it is missing, or is another model than the tested one.
    """
    return _checked(part, _folder())


def read(part: Part) -> Any:
    """One model as an openvino.Model.

    Raises:
        OcrUnavailable: see `path_of`; or OpenVINO cannot read it.
    """
    import openvino

    path = path_of(part)
    try:
        return openvino.Core().read_model(path)
    except RuntimeError as error:
        raise OcrUnavailable(
            f"OpenVINO 读不了识别模型 {path.name}，请重新安装 rapidocr。"
            f"(OpenVINO cannot read {path.name}; install rapidocr again.)"
        ) from error


def read_eight_bits() -> Any | None:
    """The detection in eight bits as an openvino.Model; None where it is not there, or altered."""
    import openvino

    folder = Path(__file__).parent / "data"
    for name, digest in _EIGHT_BITS.items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != digest:
            return None
    return openvino.Core().read_model(folder / "detection_int8.xml")


def characters(recognition: Any) -> tuple[str, ...]:
    """What each class of the recogniser stands for; class 0 is the blank between characters."""
    if not recognition.has_rt_info(_CHARACTERS):
        raise OcrUnavailable("识别模型里没有字表。(The recognition model holds no characters.)")
    listed = recognition.get_rt_info(_CHARACTERS).astype(str).split("\n")
    classes = recognition.output(0).partial_shape[2].get_length()
    # The list leaves out the blank, which is first, and the space, which is last.
    table = (_BLANK, *listed, " ")
    if len(table) < classes:
        raise OcrUnavailable("识别模型的字表不全。(The recognition model lacks characters.)")
    return table[:classes]


def _folder() -> Path:
    spec = find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise OcrUnavailable(
            "没有安装读票据页面的组件，请运行 pip install 'bedside[ocr]'。"
            "(What reads pages is not installed: pip install 'bedside[ocr]'.)"
        )
    return Path(spec.submodule_search_locations[0]) / "models"


@cache
def _checked(part: Part, folder: Path) -> Path:
    name, digest = _FILES[part]
    path = folder / name
    if not path.is_file():
        raise OcrUnavailable(
            f"缺少识别模型 {name}，请重新安装 rapidocr。"
            f"({name} is missing; install rapidocr again.)"
        )
    if sha256_of(path) != digest:
        raise OcrUnavailable(
            f"识别模型 {name} 与经过测试的不同，请安装 constraints.txt 里的 rapidocr 版本。"
            f"({name} is not the tested one; install the rapidocr of constraints.txt.)"
        )
    return path
