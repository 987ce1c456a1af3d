"""Which file is which frame, reading it, and one face crop a clip."""

import io
import os
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps
from released import JPEG, write_frames

from dianet_utils import datasets, synthetic
from dianet_utils.datasets import decoding, face_finder, frames
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.decoding import MAX_SIDE
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.releases.official import face_place, write_official


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("img46.jpg", 46),
        ("reg_img46.JPG", 46),
        ("006_05562.jpg", 5562),
        ("009_3577.jpg", 3577),
        ("1.png", 1),
        ("0001.bmp", 1),
        ("._img46.jpg", None),
        ("Thumbs.db", None),
        ("Desktop - Shortcut.lnk", None),
        ("img46 - Copy.jpg", None),
        ("img46 (1).jpg", None),
        ("jpg46", None),
    ],
)
def test_number_of_a_file(name: str, number: int | None) -> None:
    assert frames.frame_number(name) == number


def test_index_is_in_numerical_order_and_skips_stray_files(tmp_path: Path) -> None:
    for name in ("2.jpg", "10.jpg", "1.jpg", "Thumbs.db", "SYNTHETIC.txt"):
        (tmp_path / name).write_bytes(JPEG)
    assert [path.name for path in frames.index_frames(tmp_path).values()] == ["1.jpg", "2.jpg", "10.jpg"]
    clip = pd.Series({"frames": str(tmp_path)})
    assert [path.name for path in frames.clip_frames(clip, 2, 9)] == ["2.jpg"]


def test_index_refuses_two_files_for_one_number(tmp_path: Path) -> None:
    for name in ("img046.jpg", "img46.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    with pytest.raises(InputError, match=r"two files for frame 46, img046.jpg and img46.jpg"):
        frames.index_frames(tmp_path)
    with pytest.raises(InputError, match=r"Cannot list the frames in .*nowhere"):
        frames.index_frames(tmp_path / "nowhere")


def test_colours_and_grey(tmp_path: Path) -> None:
    red = np.zeros((6, 8, 3), np.uint8)
    red[..., 0] = 200
    cv2.imwrite(str(tmp_path / "1.png"), red[..., ::-1])
    cv2.imwrite(str(tmp_path / "2.png"), red[..., 0])
    colour, grey = frames.read_frame(tmp_path / "1.png"), frames.read_frame(tmp_path / "2.png")
    assert colour.dtype == np.uint8
    assert (colour == red).all()
    assert grey.shape == (6, 8, 3)
    assert (grey == 200).all()


@pytest.mark.parametrize("content", [b"", b"no image", JPEG[: len(JPEG) // 2], JPEG[:-2]])
def test_damaged_images_name_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "img7.jpg").write_bytes(content)
    with pytest.raises(InputError, match=r"img7.jpg is (empty|damaged or no image): restore it"):
        frames.read_frame(tmp_path / "img7.jpg")


def test_a_missing_image_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read the frame .*img8.jpg"):
        frames.read_frame(tmp_path / "img8.jpg")


def test_bytes_behind_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(JPEG + bytes(20))
    assert frames.read_frame(tmp_path / "1.jpg").shape == (12, 10, 3)


def test_samm_frames_are_grey_and_reach_over_the_upper_body(official: dict[str, Path]) -> None:
    clip = datasets.load("samm", official["samm"]).iloc[5]
    path = frames.clip_frames(clip, int(clip["onset"]), int(clip["offset"]))[0]
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert raw.shape == (217, 320)
    assert (frames.read_frame(path) == raw[..., None]).all()


@pytest.mark.parametrize(("name", "variant"), [("samm", "samm"), ("casme2", "raw")])
def test_the_crop_of_a_clip_holds_its_face(name: str, variant: str, tmp_path: Path) -> None:
    settings = synthetic.Settings(subjects=3, clips_per_emotion=1, size=64, duration=(16, 17))
    clips = datasets.load(name, write_official(name, tmp_path / name, settings, [variant], progress=False))
    for place, (_, clip) in enumerate(clips.iterrows()):
        box, face = frames.clip_box(clip), face_place(variant, place, 64)
        assert box is not None
        assert box.width == box.height
        middle = (box.x + box.width / 2 - face.x, box.y + box.height / 2 - face.y)
        assert abs(middle[0] - 32) < 11
        assert abs(middle[1] - 32) < 11
        assert 44 < box.width < 70


def test_one_crop_a_clip(official: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A few looks serve all frames, and their median is the crop; cropped releases need none."""
    seen: list[Box] = []

    def find(image: np.ndarray) -> list[face_finder.Find]:
        seen.append(Box(len(seen), 2, 30, 30))
        return [face_finder.Find(seen[-1], 0.9)]

    monkeypatch.setattr(face_finder, "find", find)
    for clips, searches in ((datasets.load(name, official[name]), 5 * (name == "samm")) for name in official):
        seen.clear()
        box = frames.clip_box(clips.iloc[3])
        assert len(seen) == searches
        assert box == (Box(2, 2, 30, 30) if searches else None)


def test_a_clip_without_a_face_says_so(tmp_path: Path) -> None:
    clip = pd.Series({"frames": str(tmp_path), "crop": "face", "onset": 4, "apex": 6, "offset": 9})
    write_frames(tmp_path)
    with pytest.raises(InputError, match="No face was found between onset and offset in"):
        frames.clip_box(clip)
    with pytest.raises(InputError, match="No face was found in an image of 10 x 12 pixels"):
        frames.face_box(frames.read_frame(tmp_path / "reg_img4.jpg"))


def test_a_box_is_a_view() -> None:
    image = np.arange(5 * 7).reshape(5, 7)
    part = Box(2, 1, 3, 2).of(image)
    assert part.tolist() == [[9, 10, 11], [16, 17, 18]]
    assert part.base is not None


@pytest.mark.parametrize("size", [(40, 30), (MAX_SIDE + 1, 8)])
def test_a_jpeg_with_a_thumbnail_is_judged_by_itself(size: tuple[int, int], tmp_path: Path) -> None:
    """A thumbnail is a whole JPEG before the real one: its pixels begin where the file's do not."""
    picture = Image.effect_noise(size, 50).convert("RGB")
    thumbnail = jpeg_bytes(picture.resize((16, 12)))
    segment = b"Exif\0\0" + thumbnail
    plain = jpeg_bytes(picture)
    content = plain[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + plain[2:]
    path = tmp_path / "1.jpg"
    path.write_bytes(content)
    if max(size) > MAX_SIDE:
        with pytest.raises(InputError, match=f"{size[0]} x {size[1]} pixels, more than"):
            frames.read_frame(path)
    else:
        assert (frames.read_frame(path) == np.asarray(Image.open(io.BytesIO(plain)))).all()


def jpeg_bytes(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=95)
    return content.getvalue()


def a_picture(height: int = 61, width: int = 83) -> Image.Image:
    """Colours that change slowly, and some noise: a JPEG of it is like one of a face."""
    draw = np.random.default_rng(height)
    coarse = draw.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return Image.fromarray(np.clip(smooth + draw.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8))


FORMS = [
    {"quality": quality, "subsampling": sampling, "progressive": progressive, "restart_marker_blocks": blocks}
    for quality in (30, 95)
    for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1")
    for progressive in (False, True)
    for blocks in (0, 3)
]


@pytest.mark.parametrize("grey", [False, True])
def test_pixels_of_a_jpeg_are_those_of_opencv_and_pillow(grey: bool) -> None:
    for form in FORMS:
        content = io.BytesIO()
        a_picture().convert("L" if grey else "RGB").save(content, "JPEG", **form)
        pixels = decoding.decode(content.getvalue())
        encoded = np.frombuffer(content.getvalue(), np.uint8)
        assert (pixels == cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)).all(), form
        assert (pixels == np.asarray(Image.open(content).convert("RGB"))).all(), form


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_as_its_metadata_ask(orientation: int) -> None:
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    a_picture().save(content, "JPEG", exif=exif)
    turned = ImageOps.exif_transpose(Image.open(content))
    assert (decoding.decode(content.getvalue()) == np.asarray(turned)).all()


def damaged_inside(content: bytes) -> dict[str, bytes]:
    """A JPEG with its markers at both ends, as a disk or a broken download leaves it."""
    count = len(content)
    return {
        "zeros": content[:2048] + bytes(4096) + content[6144:],
        "no middle": content[: count // 4] + content[3 * count // 4 :],
        "half": content[: count // 2] + b"\xff\xd9",
    }


@pytest.mark.parametrize("kind", ["zeros", "no middle", "half"])
def test_a_jpeg_that_is_damaged_inside_is_refused(kind: str, tmp_path: Path) -> None:
    write_frames(tmp_path, range(4, 10))
    whole = jpeg_bytes(a_picture(280, 230))
    for number in range(4, 10):
        (tmp_path / f"reg_img{number}.jpg").write_bytes(whole)
    (tmp_path / "reg_img5.jpg").write_bytes(damaged_inside(whole)[kind])
    with pytest.raises(
        InputError, match=r"reg_img5.jpg is damaged inside \(.+\): restore it from the release"
    ):
        frames.read_frame(tmp_path / "reg_img5.jpg")
    numbers = {"onset": 4, "apex": 7, "offset": 9}
    rows = pd.DataFrame(
        [{"clip": "a", "subject": "1", "emotion": "fear", "frames": str(tmp_path), **numbers}]
    )
    clips = datasets.table(rows)
    assert not datasets.health(clips)["problem"].str.contains("damaged inside").any()  # only the key frames
    found = datasets.health(clips, decode=True).query("severity == 'error'")
    assert len(found) == 1
    assert found["problem"].iloc[0].startswith("reg_img5.jpg is damaged inside (")
    assert found["remedy"].iloc[0].startswith("restore it from the release")


def test_forms_that_cannot_be_checked_are_read_and_said() -> None:
    """A sampling that the strict decoder does not know: OpenCV's pixels, with a warning."""
    content = bytearray(jpeg_bytes(Image.new("RGB", (48, 48), (90, 120, 150))))
    content[content.find(b"\xff\xc0") + 11] = 0x31
    with pytest.warns(UserWarning, match="JPEGs of an unusual form are not checked"):
        pixels = decoding.decode(bytes(content))
    assert (pixels == cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)).all()


def test_without_the_strict_decoder_frames_are_read_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    with pytest.warns(
        UserWarning, match="Damage inside a JPEG goes unnoticed without the package simplejpeg"
    ):
        assert decoding.decode(JPEG).shape == (12, 10, 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders")
@pytest.mark.parametrize("kind", ["pipe", "device", "endless"])
def test_what_is_no_file_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    path, said = tmp_path / "img1.jpg", []
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(2**40)  # a hole: it takes no room

    def read() -> None:
        with pytest.raises(InputError) as told:
            frames.read_frame(path)
        said.append(str(told.value))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert said
    assert ("more than" if kind == "endless" else "is a pipe or a device and no file") in said[0]
