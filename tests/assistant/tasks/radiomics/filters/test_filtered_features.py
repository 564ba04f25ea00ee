"""Features of response maps: IBSI-2's values on the CT phantom, tags, and the part that is cut."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import read_image, read_region
from assistant.imaging.volume import Grid, Volume
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.perturbation import draws, perturbed
from assistant.tasks.radiomics.region import prepare
from assistant.tasks.radiomics.settings import Settings, load

VALUES = Path(__file__).parent / "ibsi_2_reference_values.csv"
"""The consensus of IBSI-2, phase 2 (CC0)."""

FLAT: dict[str, dict[str, Any]] = {
    "2": {"kind": "mean", "support": 5},
    "3": {"kind": "log", "sigma": 1.5},
    "4": {"kind": "laws", "kernels": "L5E5"},
    "5": {"kind": "gabor", "sigma": 5, "wavelength": 2, "gamma": 1.5, "step": 22.5},
    "6": {"kind": "wavelet", "family": "db3", "passes": "LH"},
    "7": {"kind": "wavelet", "family": "db3", "passes": "HH", "level": 2},
    "8": {"kind": "simoncelli", "level": 1},
    "9": {"kind": "simoncelli", "level": 2},
}
SOLID = FLAT | {
    "4": {"kind": "laws", "kernels": "L5E5E5"},
    "6": {"kind": "wavelet", "family": "db3", "passes": "LLH"},
    "7": {"kind": "wavelet", "family": "db3", "passes": "HHH", "level": 2},
}


def _settings(by_slice: bool) -> Settings:
    words: dict[str, Any] = {
        "rounded": True,
        "by_slice": by_slice,
        "range": [-1000, 400],
        "families": ["statistics"],
        "filters": list((FLAT if by_slice else SOLID).values()),
    }
    if not by_slice:
        words["resampling"] = {"spacing": [1, 1, 1], "interpolation": "cubic"}
    return Settings.model_validate(words)


@pytest.mark.shared
@pytest.mark.parametrize(("letter", "number"), [("A", 162), ("B", 161)])
def test_every_value_of_phase_2_is_within_its_tolerance(
    shared_data: Path, letter: str, number: int
) -> None:
    place = shared_data / "imaging" / "ibsi" / "ct_phantom"
    if not place.is_dir():
        pytest.skip("there is no imaging/ibsi beside the checkout")
    chosen = _settings(letter == "A")
    volume = read_image(place / "phantom.nii.gz")
    mask = read_region(place / "mask.nii.gz", volume).mask
    found = {one.tag: one.value for one in extract(volume, mask, chosen)}
    prefixes = {"1": ""} | {
        name: one.label + "__" for name, one in zip(FLAT, chosen.filters, strict=True)
    }
    compared, wrong = 0, []
    with VALUES.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter=";"):
            name, of = row["filter_id"].split(".")
            # One value has no consensus.
            if of != letter or not row["consensus_value"]:
                continue
            value = found[prefixes[name] + row["feature_tag"]]
            expected = float(row["consensus_value"])
            # Reference values have three digits.
            digit = 10 ** (np.floor(np.log10(abs(expected))) - 2) if expected else 1e-3
            compared += 1
            allowed = float(row["tolerance"]) + 0.5 * digit * (1 + 1e-9)
            if value is None or abs(value - expected) > allowed:
                wrong.append((row["filter_id"], row["feature_tag"], value, expected))
    assert not wrong
    assert compared == number


def _case() -> tuple[Volume, np.ndarray]:
    random = np.random.default_rng(4)
    image = random.normal(0, 100, (44, 46, 48))
    mask = np.zeros(image.shape, bool)
    mask[18:26, 20:27, 21:29] = True
    return Volume(image, Grid((44, 46, 48), (1.0, 1.0, 1.0)), unit="HU"), mask


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "mean", "support": 7},
        {"kind": "log", "sigma": 1},
        {"kind": "laws", "kernels": "L5E5S5", "energy": 3},
        {"kind": "gabor", "sigma": 1, "wavelength": 3, "step": 90},
        {"kind": "wavelet", "family": "db2", "passes": "LLH", "level": 2},
        {"kind": "simoncelli", "level": 1},
        {"kind": "log", "sigma": 1, "riesz": [1, 0, 0]},
    ],
)
def test_the_part_around_a_region_gives_what_the_whole_image_gives(words: dict[str, Any]) -> None:
    volume, mask = _case()
    chosen = Settings.model_validate({"families": [], "filters": [words], "rounded": False})
    whole = Settings.model_validate(
        # A periodic filter looks at the whole image, so this one has it all cut out.
        {
            "families": [],
            "rounded": False,
            "filters": [words, {"kind": "mean", "support": 3, "boundary": "periodic"}],
        }
    )
    prepared = prepare(volume, mask, chosen)
    if "simoncelli" not in words.values() and "riesz" not in words:
        assert prepared.image.size < volume.array.size
    assert prepare(volume, mask, whole).image.shape == volume.array.shape
    first = {one.tag: one.value for one in extract(volume, mask, chosen)}
    second = {one.tag: one.value for one in extract(volume, mask, whole)}
    assert len(first) == 18
    for tag, value in first.items():
        assert value == pytest.approx(second[tag], rel=1e-9, abs=1e-9), tag


def test_a_feature_says_which_filter_it_is_of() -> None:
    volume, mask = _case()
    chosen = Settings.model_validate(
        {
            "families": ["statistics"],
            "filters": [{"kind": "log", "sigma": 2}, {"kind": "wavelet", "passes": "HHH"}],
            "filter_families": ["statistics", "glcm", "volume_histogram", "local_intensity"],
        }
    )
    found = extract(volume, mask, chosen)
    by_tag = {one.tag: one for one in found}
    assert len(by_tag) == len(found)
    assert [one.filter for one in found[:19]] == [""] * 18 + ["log_s2"]
    one = by_tag["log_s2__stat_mean"]
    assert (one.code, one.filter, one.filter_code, one.unit) == ("Q4LE", "log_s2", "L6PA", "")
    assert by_tag["stat_mean"].unit == "HU"
    texture = by_tag["wavelet_db3_hhh_level1_invar_mean__cm_joint_max_3D_avg"]
    assert (texture.filter_code, texture.aggregation) == ("25BO", "3D_avg")
    assert "log_s2__ivh_auc" in by_tag
    assert "log_s2__loc_peak_glob" in by_tag


def test_perturbations_have_room_for_what_filters_look_at() -> None:
    volume, mask = _case()
    words = {"families": [], "filters": [{"kind": "mean", "support": 5}], "rounded": False}
    chosen = Settings.model_validate(words)
    assert perturbed(volume, mask, chosen, draws(1)[0]).mask.any()


def test_a_large_constant_region_has_values() -> None:
    volume, mask = _case()
    flat = volume.with_array(np.full(volume.array.shape, 40.0))
    chosen = Settings.model_validate(
        {"filters": [{"kind": "log"}], "families": [], "filter_families": ["statistics", "glcm"]}
    )
    found = {one.tag: one.value for one in extract(flat, mask, chosen)}
    assert found["log_s1.5__stat_mean"] == pytest.approx(0, abs=1e-3 * 40)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"filters": [{"kind": "laws", "kernels": "L5E5"}]}, "方向数"),
        ({"by_slice": True, "filters": [{"kind": "wavelet"}]}, "方向数"),
        ({"filters": [{"kind": "log"}, {"kind": "log", "truncate": 4}]}, "重复"),
        ({"families": []}, "不能都为空"),
        ({"filters": [{"kind": "sobel"}]}, "filters"),
        ({"filters": [{"kind": "log", "sigma": "x"}]}, "sigma"),
        ({"filters": [{"kind": "log"}], "filter_families": ["morphology"]}, "filter_families"),
    ],
)
def test_wrong_filters_in_a_settings_file(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(words))
    with pytest.raises(ImageProblem, match=said):
        load(str(path))


def test_a_region_without_neighbours_has_no_texture_of_pairs() -> None:
    volume, _ = _case()
    mask = np.zeros(volume.array.shape, bool)
    mask[10, 10, 10] = mask[20, 20, 20] = mask[30, 20, 10] = True
    found = {one.tag: one.value for one in extract(volume, mask, Settings())}
    assert found["cm_contrast_3D_avg"] is None
    assert found["stat_mean"] == pytest.approx(volume.array[mask].round().mean(), abs=1)


def test_a_kernel_of_too_many_voxels_is_refused() -> None:
    volume, mask = _case()
    words = {"families": [], "filters": [{"kind": "gabor", "sigma": 50, "gamma": 0.1}]}
    with pytest.raises(ImageProblem, match="核相对体素过大"):
        extract(volume, mask, Settings.model_validate(words))


def test_the_shipped_filters_are_read() -> None:
    assert len(load("filtered").filters) == 12
