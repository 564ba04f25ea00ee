"""From a folder of images and masks to a model that segments where there is no PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from assistant.training.segmentation import card, export, fitting, networks  # noqa: E402
from assistant.training.segmentation.case import Case  # noqa: E402
from assistant.training.segmentation.loss import dice_and_entropy, weights_of  # noqa: E402
from assistant.training.segmentation.networks import Shape  # noqa: E402
from assistant.training.segmentation.patches import Augmentation, Patches  # noqa: E402
from assistant.training.segmentation.simulation import NAMES, organs, write  # noqa: E402
from assistant.training.segmentation.training import Settings, train  # noqa: E402
from assistant.training.state import FILE_NAME, StateInvalid  # noqa: E402
from serving.vision.description import Class, Description  # noqa: E402
from serving.vision.folder import open_folder  # noqa: E402
from serving.vision.network import Network  # noqa: E402

pytestmark = pytest.mark.train
QUIET: Callable[[int, int, str], None] = lambda done, total, told: None  # noqa: E731
ASKED = Settings(
    width=8, levels=3, epochs=6, steps=20, batch=6, rate=4e-3, names=NAMES[1:], numbers="f32"
)

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from assistant.cli import main
sys.argv = ["bedside", *sys.argv[1:]]
main()
"""


@pytest.fixture(autouse=True)
def few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("organs")
    write(made, 5, (8, 48, 48))
    return made


def test_a_folder_becomes_a_model_that_segments_without_pytorch(
    folder: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    made = train(folder, tmp_path / "m", ASKED, QUIET, lambda done, total, said: told.append(said))
    assert len(told) == ASKED.epochs * ASKED.steps
    assert "loss" in told[-1]
    liver = [one.dice for one in made.scores if one.structure == "liver"]
    assert min(liver) > 0.7
    plain = json.loads((tmp_path / "m" / card.PLAIN).read_text("utf-8"))
    assert set(plain["trained_on"]).isdisjoint(plain["tested_on"])
    assert plain["epochs"][-1]["loss"] < plain["epochs"][0]["loss"]
    assert not (tmp_path / "m" / FILE_NAME).exists()
    (held,) = plain["tested_on"]
    image = folder / "images" / f"{held}.nii.gz"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "segment", image, "--model", tmp_path / "m",
         "--precision", "f32", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    found = {one["name"]: one for one in json.loads(done.stdout)["structures"]}
    assert found["liver"]["voxels"] > 100
    assert found["liver"]["volume_ml"] == pytest.approx(found["liver"]["voxels"] * 0.012)


@pytest.mark.parametrize("kind", networks.KINDS)
def test_every_network_gives_in_openvino_what_it_gives_in_pytorch(
    kind: networks.Kind, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    shape = Shape(kind, 3, 4, 3)
    model = networks.build(shape)
    size = (1, 24, 16) if shape.dimensions == 2 else (8, 12, 16)
    given = torch.rand(4, 1, *(size[1:] if shape.dimensions == 2 else size))
    model.train()
    for _ in range(3):
        model(given)  # gives batch normalisation something to fold
    said = Description(
        dimensions=shape.dimensions, classes=tuple(Class(name=one) for one in "abc"), window=size
    )
    export.write(tmp_path / kind, model, said)
    network = Network(open_folder(tmp_path / kind), "f32")
    volume = given[:1, 0].numpy() if shape.dimensions == 2 else given[0, 0].numpy()
    with torch.inference_mode():
        scores = model.eval()(given[:1])[0].numpy()
    best = np.sort(scores, axis=0)
    clear = best[-1] - best[-2] > 1e-4
    labels = network.labels(volume)
    assert clear.mean() > 0.9
    assert (labels.reshape(clear.shape) == scores.argmax(axis=0))[clear].all()


def cases() -> list[Case]:
    from assistant.imaging.volume import Grid

    made = []
    for number in range(2):
        image, labels = organs((4, 32, 32), np.random.default_rng(number))
        made.append(Case(str(number), image / 1000, labels, Grid((4, 32, 32), (1.0, 1.0, 1.0))))
    return made


def test_a_run_that_was_killed_comes_to_the_same_weights(tmp_path: Path) -> None:
    settings = fitting.FitSettings((1, 32, 32), epochs=3, steps=2, batch=2, numbers="f32")
    shape = Shape("unet", 4, 4, 2)
    whole = fitting.fit(cases(), shape, settings, tmp_path / "a", {}, QUIET)

    class Killed(Exception):
        pass

    def kill(done: int, total: int, told: str) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        fitting.fit(cases(), shape, settings, tmp_path / "b", {}, kill)
    steps: list[int] = []
    resumed = fitting.fit(
        cases(), shape, settings, tmp_path / "b", {}, lambda done, total, told: steps.append(done)
    )
    # The epoch that was not whole is done again, those before are not.
    assert steps == [5, 6]
    for name, value in whole.model.state_dict().items():
        assert torch.allclose(value.float(), resumed.model.state_dict()[name].float(), atol=1e-6)
    assert [one.loss for one in whole.epochs] == pytest.approx([one.loss for one in resumed.epochs])
    other = replace(settings, rate=1e-4)
    with pytest.raises(StateInvalid):
        fitting.fit(cases(), shape, other, tmp_path / "b", {}, QUIET)


def test_patches_are_cut_and_turned_with_their_masks() -> None:
    (case,) = cases()[:1]
    # The image is its own mask: however it is turned, both must stay together.
    same = Case(
        "s", (case.labels > 0).astype(np.float32), (case.labels > 0) * np.uint8(1), case.grid
    )
    how = Augmentation(contrast=0, noise=0, mirror=True)
    patches = Patches([same], (1, 24, 24), True, how)
    images, labels = patches.batch(8, np.random.default_rng(3))
    assert images.shape == (8, 1, 24, 24)
    assert labels.any()
    apart = ((images[:, 0] > 0.5).long() != labels).float().mean()
    assert apart < 0.02
    again, _ = patches.batch(8, np.random.default_rng(3))
    assert torch.equal(images, again)


def test_the_loss_falls_to_nothing_where_all_is_right() -> None:
    labels = torch.randint(0, 3, (2, 8, 8), generator=torch.Generator().manual_seed(1))
    wanted = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    weights = weights_of([100, 4, 1])
    assert float(dice_and_entropy(40 * wanted, labels, weights)) < 1e-3
    assert float(dice_and_entropy(-40 * wanted, labels, weights)) > 1
    assert weights.tolist() == pytest.approx([1, 5, 10])
