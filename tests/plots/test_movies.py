"""The GIF of a clip: how many frames, how large, and that it moves where the clip moves."""

import io

import numpy as np
from PIL import Image

from dianet_utils.plots.movies import as_gif


def test_clips_stand_side_by_side_and_only_the_moving_one_moves() -> None:
    still = np.full((40, 60, 60, 3), 90, np.uint8)
    moving = still.copy()
    for number, frame in enumerate(moving):
        frame[:, number : number + 10] = 200
    film = Image.open(io.BytesIO(as_gif([still, moving], size=48, most=12)))
    assert (film.n_frames, film.size, film.info["loop"]) == (12, (96, 48), 0)
    seen = []
    for number in range(film.n_frames):
        film.seek(number)
        seen.append(np.asarray(film.convert("L"), int))
    change = np.abs(np.diff(seen, axis=0)).max(axis=(0, 1))
    assert change[:48].max() == 0
    assert change[48:80].max() > 80


def test_an_even_ramp_has_no_broad_bands() -> None:
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (2, 96, 1))
    film = Image.open(io.BytesIO(as_gif([ramp], size=96)))
    shown = np.asarray(film.convert("L"), int)
    assert np.abs(shown - ramp[0]).max() <= 8
