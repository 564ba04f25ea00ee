"""What happens to a page on its way to a picture: print, seals, scribbles, camera, compression.

Each kind of wear is a function from a picture to a picture; those that move pixels give the matrix
(3 × 3) that moves the boxes with them.  Strengths are such that a person still reads every figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from eval.clinical.bills.generator.fonts import choose, font

Picture = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def _whole(values: NDArray[np.float64] | NDArray[np.float32]) -> Picture:
    """As pixels."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def seal(image: Image.Image, x: int, y: int, text: str, random: Random) -> Image.Image:
    """A round red seal over the text, as ink that lets the print through."""
    size = 190
    over = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(over)
    red = (200 + random.randint(-15, 25), 40, 45, random.randint(90, 150))
    draw.ellipse((4, 4, size - 5, size - 5), outline=red, width=5)
    points = [
        (size / 2 + 26 * math.sin(i * math.pi * 0.8), size / 2 - 26 * math.cos(i * math.pi * 0.8))
        for i in range(5)
    ]
    draw.polygon(points, fill=red)
    face = font(choose("song", random), 24)
    for index, character in enumerate(text):
        angle = math.radians(-110 + 220 * index / max(1, len(text) - 1))
        letter = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        ImageDraw.Draw(letter).text((8, 4), character, font=face, fill=red)
        turned = letter.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        place = (size / 2 + 68 * math.sin(angle) - 20, size / 2 - 68 * math.cos(angle) - 20)
        over.alpha_composite(turned, (int(place[0]), int(place[1])))
    over = over.rotate(random.uniform(-25, 25)).filter(ImageFilter.GaussianBlur(0.6))
    whole = image.convert("RGBA")
    whole.alpha_composite(over, (max(0, x), max(0, y)))
    return whole.convert("RGB")


def dots(picture: Picture, random: Random) -> Picture:
    """Dot-matrix print: needles leave small gaps in the strokes."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width]
    gaps = ((xs % 3 == 0) | (ys % 3 == random.randrange(3))).astype(np.float32) * 0.45
    return _paler(picture, gaps)


def thermal(picture: Picture, random: Random) -> Picture:
    """Thermal print that fades in bands."""
    height, width = picture.shape[:2]
    phase = random.uniform(0, 6)
    bands = 0.28 + 0.17 * np.sin(np.arange(height) / 90 + phase)
    return _paler(picture, np.repeat(bands[:, None], width, axis=1).astype(np.float32))


def _paler(picture: Picture, share: NDArray[np.float32]) -> Picture:
    paper = np.float32(255)
    return _whole(picture + (paper - picture) * share[..., None])


def scribble(picture: Picture, random: Random) -> Picture:
    """Handwriting over the print: thin strokes of a pen."""
    made = picture.copy()
    height, width = made.shape[:2]
    colour = random.choice([(30, 40, 150), (50, 50, 55), (180, 40, 40)])
    for _ in range(random.randint(1, 2)):
        x, y = random.randint(0, width - 200), random.randint(height // 3, height - 40)
        points = [(x, y)]
        for _ in range(random.randint(5, 9)):
            x += random.randint(10, 34)
            y += random.randint(-16, 16)
            points.append((x, y))
        cv2.polylines(made, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
    return made


def fold(picture: Picture, random: Random) -> Picture:
    """A crease: dark on one side, bright on the other."""
    height, width = picture.shape[:2]
    across = random.random() < 0.5
    place = random.uniform(0.3, 0.7) * (height if across else width)
    distance = np.arange(height if across else width) - place
    shade = -38 * np.exp(-((distance + 2) ** 2) / 40) + 22 * np.exp(-((distance - 3) ** 2) / 60)
    shade = shade[:, None, None] if across else shade[None, :, None]
    return _whole(picture + shade)


def shadow(picture: Picture, random: Random) -> Picture:
    """Light that falls off over the page, and the shadow of a hand."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = random.uniform(0, 6.28)
    along = (xs / width) * math.cos(angle) + (ys / height) * math.sin(angle)
    along = (along - along.min()) / float(np.ptp(along))
    light = 1 - random.uniform(0.25, 0.5) * along
    edge = random.uniform(0.35, 0.65)
    light *= 1 - random.uniform(0.1, 0.3) / (1 + np.exp(-(along - edge) * 40))
    return _whole(picture * light[..., None])


def low_light(picture: Picture, random: Random) -> Picture:
    """A dim and noisy picture."""
    dim = picture.astype(np.float32) * random.uniform(0.35, 0.55) + 8
    noise = np.random.default_rng(random.randrange(2**32)).normal(0, 7, picture.shape)
    return _whole(dim + noise)


def moire(picture: Picture, random: Random) -> Picture:
    """A picture of a screen: two gratings that beat."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    pattern = np.sin(xs * random.uniform(0.5, 0.9) + ys * 0.1) * np.sin(
        ys * random.uniform(0.4, 0.8)
    )
    tint = np.stack([pattern, np.roll(pattern, 2, 1), np.roll(pattern, 4, 1)], axis=-1)
    return _whole(picture + 16 * tint)


def glare(picture: Picture, random: Random) -> Picture:
    """A lamp in a glossy page."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height
    spot = np.exp(-(((xs - x) / (0.14 * width)) ** 2) - ((ys - y) / (0.1 * height)) ** 2)
    return _whole(picture + 110 * spot[..., None])


def blur(picture: Picture, random: Random) -> Picture:
    """A hand that shook a little, or a lens a little out of focus."""
    if random.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.6, 1.1)), np.uint8)
    size = random.choice((2, 3))
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2, :] = 1 / size
    return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def compress(picture: Picture, quality: int) -> Picture:
    """JPEG and back."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    back = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(back[..., ::-1])


def curl(picture: Picture, random: Random) -> Picture:
    """A page that does not lie flat: rows bend by a few pixels."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    bent = ys + random.uniform(3, 7) * np.sin(xs / width * math.pi * random.uniform(0.8, 1.5))
    return np.asarray(
        cv2.remap(picture, xs, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def skew(picture: Picture, random: Random, most: float) -> tuple[Picture, Matrix]:
    """Turned by up to ``most`` degrees."""
    height, width = picture.shape[:2]
    angle = random.uniform(-most, most)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    matrix = np.vstack([turn, [0, 0, 1]])
    return _moved(picture, matrix, (width, height), (255, 255, 255)), matrix


def perspective(picture: Picture, random: Random) -> tuple[Picture, Matrix]:
    """A page on a desk, photographed from aslant."""
    height, width = picture.shape[:2]
    margin = 0.06 * min(width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    size = (int(width + 2 * margin), int(height + 2 * margin))
    slant = 0.035 * min(width, height)
    moved = corners + margin
    moved += np.array(
        [[random.uniform(-slant, slant) for _ in range(2)] for _ in range(4)], np.float32
    )
    matrix = np.asarray(cv2.getPerspectiveTransform(corners, moved), np.float64)
    desk = random.choice([(96, 74, 58), (70, 72, 78), (140, 128, 110)])
    return _moved(picture, matrix, size, desk), matrix


def _moved(
    picture: Picture, matrix: Matrix, size: tuple[int, int], border: tuple[int, int, int]
) -> Picture:
    moved = cv2.warpPerspective(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT,
        borderValue=border,
    )  # fmt: skip
    return np.asarray(moved, np.uint8)


PRINT: dict[str, Callable[[Picture, Random], Picture]] = {"dots": dots, "thermal": thermal}
PAPER: dict[str, Callable[[Picture, Random], Picture]] = {
    "scribble": scribble, "fold": fold, "curl": curl,
}  # fmt: skip
CAMERA: dict[str, Callable[[Picture, Random], Picture]] = {
    "shadow": shadow, "low_light": low_light, "moire": moire, "glare": glare, "blur": blur,
}  # fmt: skip
