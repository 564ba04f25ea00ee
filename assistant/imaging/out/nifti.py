"""Label maps as NIfTI, on the grid of the image; the names of labels beside them as JSON."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import numpy as np

from assistant.imaging.out.structure import Labels, Structure
from assistant.imaging.volume import Grid


def label_map(labels: Labels, grid: Grid) -> bytes:
    """The file (``.nii.gz``) of labels [slice, row, column].

    NIfTI has x to the right and y to the front; both are turned.
    """
    import nibabel

    affine = np.eye(4)
    affine[:3, :3] = grid.step[:, ::-1]
    affine[:3, 3] = grid.origin
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    kind = np.uint8 if int(labels.max(initial=0)) < 256 else np.uint16
    image = nibabel.Nifti1Image(labels.astype(kind).transpose(2, 1, 0), affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    # The field holds 79 bytes, and is no place for a patient's data.
    image.header["descrip"] = b"Bedside, research only"
    # Without a time in its head the same labels are the same file.
    packed: bytes = gzip.compress(image.to_bytes(), 6, mtime=0)
    return packed


def legend(structures: Sequence[Structure]) -> bytes:
    """What each label is, as JSON."""
    listed = [
        {
            "number": one.number,
            "name": one.name,
            "code": one.type_code.value,
            "scheme": one.type_code.scheme,
            "meaning": one.type_code.meaning,
            "colour": list(one.shown),
        }
        for one in structures
    ]
    body = {"notice": "科研用途 Research only", "structures": listed}
    return json.dumps(body, ensure_ascii=False, indent=1).encode()
