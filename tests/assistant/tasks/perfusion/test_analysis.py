"""Maps, lesion and sides of phantoms whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from perfusion_samples import phantom

from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion.analysis import Analysis, analysed
from assistant.tasks.perfusion.doubts import doubts
from assistant.tasks.perfusion.motion import undone
from assistant.tasks.perfusion.result import findings
from assistant.tasks.perfusion.settings import PerfusionSettings
from assistant.tasks.perfusion.study import Study, checked_times
from eval.clinical.perfusion.phantom import Phantom
from eval.clinical.perfusion.trials import compared, study, truth_of_lesion


@pytest.fixture(scope="module")
def usual() -> tuple[Phantom, Analysis]:
    made = phantom()
    return made, analysed(study(made), PerfusionSettings())


def test_maps_are_those_of_the_phantom(usual: tuple[Phantom, Analysis]) -> None:
    outcome = compared("", "bayes", *usual, 0.0)
    assert min(outcome.correlation.values()) > 0.95, outcome.correlation
    assert abs(outcome.error["cbf"]) < 12
    assert abs(outcome.error["cbv"]) < 10
    assert abs(outcome.error["tmax"]) < 0.5
    # Nearly all of the brain was found, and hardly anything else.
    made, found = usual
    assert (found.tissue & made.tissue).sum() > 0.95 * made.tissue.sum()
    assert (found.tissue & ~made.tissue).sum() < 0.12 * made.tissue.sum()


def test_svd_follows_the_truth_too() -> None:
    made = phantom()
    found = analysed(study(made), PerfusionSettings(method="osvd"))
    outcome = compared("", "osvd", made, found, 0.0)
    assert min(outcome.correlation.values()) > 0.9, outcome.correlation


def test_core_and_penumbra_have_their_volumes_and_their_side(
    usual: tuple[Phantom, Analysis],
) -> None:
    made, found = usual
    core, late = (made.millilitres(part) for part in truth_of_lesion(made))
    said = findings(found, PerfusionSettings())
    assert said.core_ml == pytest.approx(core, rel=0.35)
    assert said.penumbra_ml == pytest.approx(late, rel=0.15)
    assert said.mismatch_ml == pytest.approx(said.penumbra_ml - said.core_ml)
    assert said.mismatch_ratio == pytest.approx(said.penumbra_ml / said.core_ml)
    # The stroke is at the last columns, which are the patient's left (+x).
    assert said.affected_side == "left"
    whole = next(one for one in said.regions if one.name == "hemisphere")
    assert whole.ratio["cbf"] < 0.95
    ill = next(one for one in said.regions if one.name == "penumbra")
    assert ill.ratio["tmax"] > 2
    assert ill.ratio["mtt"] > 1.4


def test_a_flipped_head_has_its_stroke_on_the_other_side(
    usual: tuple[Phantom, Analysis],
) -> None:
    made, found = usual
    plain = study(made)
    flipped = Study(
        np.ascontiguousarray(made.array[..., ::-1]), plain.times, plain.grid, plain.source, 1, "CT"
    )
    other = analysed(flipped, PerfusionSettings())
    assert other.lesion.healthy == "left" != found.lesion.healthy
    agreement = (other.lesion.core[..., ::-1] & found.lesion.core).sum()
    assert agreement > 0.9 * found.lesion.core.sum()


def test_a_healthy_brain_has_no_lesion() -> None:
    said = findings(
        analysed(study(phantom(stroke=False)), PerfusionSettings()), PerfusionSettings()
    )
    assert (said.core_ml, said.penumbra_ml, said.mismatch_ratio, said.hir) == (0, 0, None, None)
    assert said.affected_side == ""


def test_arterial_input_is_an_artery_and_scaled_to_the_vein(
    usual: tuple[Phantom, Analysis],
) -> None:
    made, found = usual
    # The phantom's arteries have 70 % of their voxels' blood.
    assert found.artery.peak * found.scale == pytest.approx(made.artery.max(), rel=0.1)
    assert found.artery.peak_time == pytest.approx(float(made.times[made.artery.argmax()]), abs=1)
    assert found.vein is not None
    assert found.vein.peak_time > found.artery.peak_time
    unscaled = analysed(study(made), PerfusionSettings(venous_scaling=False))
    assert unscaled.scale == 1
    tissue = found.tissue & unscaled.tissue
    ratio = np.median(unscaled.maps["cbv"][tissue]) / np.median(found.maps["cbv"][tissue])
    assert ratio == pytest.approx(found.scale, rel=0.05)


def test_motion_is_undone_and_told(usual: tuple[Phantom, Analysis]) -> None:
    made = phantom(motion=4.0)
    found = analysed(study(made), PerfusionSettings())
    assert found.motion is not None
    assert found.motion.greatest == pytest.approx(5, abs=2)
    assert "motion" in {one.key for one in doubts(found)}
    outcome = compared("", "bayes", made, found, 0.0)
    assert outcome.correlation["tmax"] > 0.95
    assert outcome.correlation["cbf"] > 0.55
    # The edge of the skull stands still afterwards.
    plain = study(made)
    after, _ = undone(plain, True)
    edge = np.abs(np.gradient(made.array[0], axis=2)) > 200
    assert after[:, edge].std(axis=0).mean() < 0.4 * made.array[:, edge].std(axis=0).mean()
    # A head that lies still is left as it is.
    unmoved = usual[1]
    assert unmoved.motion is not None
    assert not unmoved.motion.corrected.any()


def test_constants_change_the_amounts_and_nothing_else() -> None:
    settings = PerfusionSettings(haematocrit=False, density=1.0)
    assert settings.factor == 100
    assert PerfusionSettings().factor == pytest.approx(100 * 0.55 / 0.75 / 1.04)


def test_dsc_mr_gives_the_same_maps() -> None:
    made = phantom(noise=0.8)
    # S = S0 exp(−TE ΔR2*): what CT has in HU, here in 1/s by a factor of 0.1.
    rise = np.where(
        made.tissue | (made.array.max(axis=0) > 100), made.array - made.array[:3].mean(0), 0
    )
    head = made.array[:3].mean(axis=0) > -500
    signal = np.where(head, 600.0, 2.0) * np.exp(-0.03 * 0.1 * rise)
    plain = study(made)
    mr = Study(signal.astype(np.float32), plain.times, plain.grid, plain.source, 1, "MR", 0.03)
    found = analysed(mr, PerfusionSettings())
    where = made.tissue & found.tissue
    assert not found.is_ct
    assert where.sum() > 0.9 * made.tissue.sum()
    for name, truth in (("cbf", made.cbf), ("cbv", made.cbv), ("tmax", made.delay)):
        assert np.corrcoef(found.maps[name][where], truth[where])[0, 1] > 0.9, name


def test_without_contrast_there_are_no_maps() -> None:
    made = phantom()
    still = np.repeat(made.array[:3].mean(axis=0)[None], 20, axis=0)
    still += np.random.default_rng(3).normal(0, 3, still.shape).astype(np.float32)
    plain = study(made)
    one = Study(still, checked_times(np.arange(20.0), 2), plain.grid, plain.source, 1, "CT")
    with pytest.raises(ImageProblem, match=r"造影剂|动脉输入"):
        analysed(one, PerfusionSettings())


def test_a_short_scan_is_doubtful() -> None:
    made = phantom()
    plain = study(made)
    cut = Study(made.array[:20], plain.times[:, :20], plain.grid, plain.source, 1, "CT")
    keys = {one.key for one in doubts(analysed(cut, PerfusionSettings()))}
    assert {"short", "late_tissue"} <= keys


def test_a_sinus_of_more_voxels_than_the_arteries_is_not_taken_for_one() -> None:
    # The vein is higher than the arteries, and fills all the places of the highest curves.
    made = phantom(shape=(2, 64, 64), spacing=(5.0, 3.3, 3.3))
    found = analysed(study(made), PerfusionSettings())
    assert found.artery.peak_time == pytest.approx(made.times[made.artery.argmax()], abs=1)
    assert found.vein is not None
    assert found.vein.peak_time > found.artery.peak_time
    late = np.median(found.maps["tmax"][made.penumbra])
    assert late == pytest.approx(np.median(made.delay[made.penumbra]), abs=0.6)
