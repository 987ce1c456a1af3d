"""A clip of one's own: read as the bank reads a dataset's clips, and a clear word for what cannot be used."""

import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dianet_utils import datasets, run, synthetic
from dianet_utils.config import configure
from dianet_utils.datasets import face_finder
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.frames import Framing, clip_box, framing_of, read_frame
from dianet_utils.datasets.recording import Recording, read_recording
from dianet_utils.dynamic_images import Moments
from dianet_utils.models import Output, build, own_clip
from dianet_utils.models.gradcam import grad_cam, look
from dianet_utils.models.saved import Saved
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.video import write_video

PERSON = synthetic.Settings(subjects=2, clips_per_emotion=1, seed=7, size=96, duration=(16, 20))


@pytest.fixture(scope="module")
def person() -> list[np.ndarray]:
    """Sixteen frames of a synthetic person in a scene, RGB."""
    from dianet_utils.synthetic.releases.official import in_scene

    frames = in_scene(list(synthetic.render_clip(synthetic.plan(PERSON)[0], PERSON)), "raw")
    return [frame[:164, :218] for frame in frames]  # many codecs take even sizes only


def write(path: Path, frames: list[np.ndarray], fps: float = 200.0, code: str = "MJPG") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, frames[0].shape[1::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def turned(path: Path) -> Path:
    """The same MP4 with a quarter turn in its track header, as a phone held upright writes it."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags, times and track, layer and volume
    assert struct.unpack(">i", content[start : start + 4]) == (0x10000,)
    content[start : start + 36] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["synthetic", "samm"])
def test_a_dataset_clip_gives_the_images_of_the_bank(
    name: str, tiny_synthetic: Path, official: dict[str, Path]
) -> None:
    root = tiny_synthetic if name == "synthetic" else official[name]
    kept, _ = datasets.select(datasets.load(name, root), min_class_size=1)
    row, config = kept.iloc[3], configure("synthetic", image_size=32)
    bank = run.make_bank(kept.iloc[3:4], config, workers=1, shown=False)
    numbers = [int(row[key]) for key in ("onset", "apex", "offset")]
    clip = read_recording(row["frames"], numbers[0], numbers[2], crop=row["crop"] != "none")
    assert clip.box == clip_box(row)
    images = own_clip.clip_inputs(clip, own_clip.moments_of(clip, *numbers), config)
    assert (images == bank.images[0]).all()


def test_a_video_holds_the_frames_that_were_written(person: list[np.ndarray], tmp_path: Path) -> None:
    clip = read_recording(write(tmp_path / "a.avi", person), crop=False)
    assert clip.frames.shape == (len(person), *person[0].shape)
    assert clip.numbers.tolist() == list(range(1, len(person) + 1))
    assert clip.fps == 200
    assert not clip.notes
    assert np.abs(clip.frames.astype(int) - np.stack(person)).mean() < 6
    part = read_recording(tmp_path / "a.avi", first=5, last=9, crop=False)
    assert part.numbers.tolist() == [5, 6, 7, 8, 9]
    assert (part.frames == clip.frames[4:9]).all()


def test_rotation_in_the_metadata_is_applied(person: list[np.ndarray], tmp_path: Path) -> None:
    flat = write(tmp_path / "phone.mp4", person, fps=30, code="mp4v")
    upright = read_recording(flat, crop=False)
    sideways = read_recording(turned(flat), crop=False)
    assert sideways.size == upright.size[::-1]
    assert any("turned by" in note for note in sideways.notes)
    assert any("30 frames per second" in note for note in upright.notes)
    assert np.abs(np.rot90(upright.frames[0], -1).astype(int) - sideways.frames[0]).mean() < 3


def test_one_box_from_several_frames_laid_as_the_framing_says(
    person: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    find = face_finder.find
    monkeypatch.setattr(face_finder, "find", lambda image: looked.append(1) or find(image))
    blank = np.full_like(person[0], 90)
    path = write(tmp_path / "a.avi", [blank] * 3 + person)  # the first of five looks shows nothing
    clip = read_recording(path, framing=Framing(-0.1, -0.1, 1.2, 1.2))
    assert len(looked) == face_finder.LOOKS
    side = clip.frames.shape[1]
    face = find(person[6])[0].box
    assert clip.frames.shape[1:3] == (side, side)
    assert abs(side - 1.2 * face.width) < 0.15 * face.width
    assert clip.box is not None
    assert clip.box.shared(face) > 0.9


def finds(monkeypatch: pytest.MonkeyPatch, *of_looks: list[face_finder.Find]) -> None:
    """What the finder sees in the frames looked at, one after another."""
    left = list(of_looks)
    monkeypatch.setattr(face_finder, "find", lambda image: left.pop(0))


def test_one_stray_find_does_not_move_the_box(
    person: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = [[face_finder.Find(Box(40 + x, 20, 60, 60), 0.9)] for x in (0, 1, 2, 1)]
    wall = [face_finder.Find(Box(150, 90, 68, 68), 0.9)]
    finds(monkeypatch, wall, *face)
    clip = read_recording(write(tmp_path / "a.avi", person))
    assert clip.box == Box(41, 20, 60, 60)
    assert clip.doubts == [doubt for doubt in clip.doubts if "weaker finder" in doubt]


def test_a_face_that_moves_or_is_hardly_seen_is_said_in_the_answer(
    person: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, *([face_finder.Find(Box(40 + x, 20, 60, 60), 0.6)] for x in (0, 4, 8, 12, 20)))
    clip = read_recording(write(tmp_path / "a.avi", person))
    assert clip.box == Box(48, 20, 60, 60)
    told = own_clip.verdict(own_clip.Answer(pd.Series({"fear": 1.0}), np.zeros(1), None), clip.doubts)
    assert told.startswith("fear, DOUBTFUL: ")
    assert "strays by 20% of its size" in told
    assert "confidence of 0.60 only" in told


def test_no_class_where_no_face_is_certain(
    person: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [face_finder.Find(Box(40, 20, 60, 60), 0.8)]
    finds(monkeypatch, seen, [], [], seen, seen)
    with pytest.raises(InputError, match=r"confidence 0\.48 of 1, and 0\.5 is asked for\), so no class"):
        read_recording(write(tmp_path / "a.avi", person))


def test_lost_frames_are_counted_and_the_others_keep_their_numbers(
    person: list[np.ndarray], tmp_path: Path
) -> None:
    whole = read_recording(write(tmp_path / "a.avi", person), crop=False)
    content = bytearray((tmp_path / "a.avi").read_bytes())
    starts = [place for place in range(len(content)) if content[place : place + 3] == b"\xff\xd8\xff"]
    assert len(starts) == len(person)
    (tmp_path / "short.avi").write_bytes(content[: starts[12]])
    for number in (5, 6):
        start, end = starts[number - 1], starts[number] - 8
        content[start:end] = bytes(end - start)
    (tmp_path / "holes.avi").write_bytes(content)
    holes = read_recording(tmp_path / "holes.avi", crop=False)
    kept = [number for number in range(1, len(person) + 1) if number not in (5, 6)]
    assert holes.numbers.tolist() == kept
    assert (holes.frames == whole.frames[np.array(kept) - 1]).all()
    count = len(person)
    assert holes.notes == [
        f"damaged or cut short: of {count} frames promised {count - 2} could be read; lost: 5-6; the others "
        "keep their numbers"
    ]
    short = read_recording(tmp_path / "short.avi", crop=False)
    assert short.numbers.tolist() == list(range(1, len(short.frames) + 1))
    assert f"lost: {len(short.frames) + 1}-{count};" in short.notes[0]
    part = read_recording(tmp_path / "holes.avi", first=7, last=10, crop=False)
    assert not any("lost" in note for note in part.notes)  # nothing is lost there


def test_a_frame_stays_inside_the_image() -> None:
    image = np.zeros((100, 80, 3), np.uint8)
    assert Framing().about(Box(10, 20, 40, 40), image) == Box(10, 20, 40, 40)
    assert Framing(-0.5, -0.5, 2, 2).about(Box(50, 60, 30, 30), image) == Box(20, 40, 60, 60)
    assert Framing(-1, -1, 3, 3).about(Box(10, 20, 40, 40), image) == Box(0, 0, 80, 100)


def test_the_framing_of_a_dataset_puts_a_found_face_where_its_frames_have_it(tiny_synthetic: Path) -> None:
    clips = datasets.load("synthetic", tiny_synthetic)
    framing = framing_of(clips)
    assert framing is not None
    assert 1.0 < framing.width < 1.6
    assert framing.width == framing.height
    row = clips.iloc[0]
    image = read_frame(Path(row["frames"]) / "img0001.jpg")
    wide = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_REPLICATE)
    box = framing.about(face_finder.find(wide)[0].box, wide)
    assert box.shared(Box(40, 40, 64, 64)) > 0.8
    assert framing_of(clips.assign(crop="face")) == Framing()


def test_two_faces(person: list[np.ndarray], tmp_path: Path) -> None:
    height = len(person[0])
    small = [cv2.resize(frame, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA) for frame in person]
    both = [cv2.copyMakeBorder(f, height - len(f), 0, 0, 0, cv2.BORDER_REPLICATE) for f in small]
    path = write(tmp_path / "two.avi", [np.hstack(pair) for pair in zip(both, person, strict=True)])
    clip = read_recording(path)
    assert clip.box is not None
    assert clip.box.x > both[0].shape[1] * 0.9
    assert any("2 faces were found and the largest is taken" in doubt for doubt in clip.doubts)
    second = read_recording(path, face=2)
    assert second.box is not None
    assert second.box.x < clip.box.x
    assert not [doubt for doubt in second.doubts if "faces" in doubt]
    with pytest.raises(InputError, match=r"shows 2 face.*no face 3"):
        read_recording(path, face=3)


def _text(folder: Path, person: list[np.ndarray]) -> Path:
    (folder / "notes.mp4").write_text("no video")
    return folder / "notes.mp4"


def _folder(folder: Path, person: list[np.ndarray]) -> Path:
    for number, size in enumerate((40, 40, 50), start=1):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((40, size, 3), np.uint8))
    return folder


@pytest.mark.parametrize(
    ("make", "options", "expected"),
    [
        (lambda folder, _: folder / "none.mp4", {}, "none.mp4 does not exist"),
        (_text, {}, "cannot be opened as a video"),
        (lambda folder, _: _folder(folder, _) / "1.png", {}, "is one image: give the folder"),
        (_folder, {"crop": False}, "Frame 3 of .* is 50 x 40 pixels but the first is 40 x 40"),
        (lambda folder, _: folder, {}, "gives 0 frame"),
        (lambda folder, p: write(folder / "a.avi", p), {"first": 5, "last": 6}, "gives 2 frame"),
        (
            lambda folder, p: write(folder / "a.avi", [0 * f for f in p]),
            {},
            "No face was found for certain .*so no class is given",
        ),
        (lambda folder, p: write(folder / "a.avi", p * 40), {}, "has more than 600 frames.*give onset"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(
    make: object, options: dict, expected: str, person: list[np.ndarray], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        read_recording(make(tmp_path, person), **options)
    assert "\n" not in str(caught.value)


def test_what_is_unusual_in_time_is_noted(person: list[np.ndarray], tmp_path: Path) -> None:
    slow = read_recording(write(tmp_path / "slow.avi", person * 2, fps=25), crop=False)
    assert [note.split(":")[0].split(",")[0] for note in slow.notes] == ["25 frames per second", "1.6 s long"]
    short = read_recording(write(tmp_path / "short.avi", person[:3]), crop=False)
    assert [note.split(":")[0] for note in short.notes] == ["only 3 frames"]


def test_a_part_of_a_long_video_can_be_named(person: list[np.ndarray], tmp_path: Path) -> None:
    path = write(tmp_path / "long.avi", person * 40)
    assert len(read_recording(path, first=590, last=612).frames) == 23


def bump(length: int, peak: int) -> Recording:
    """A square that slides by up to six pixels until ``peak`` and then back."""
    frames = np.full((length, 64, 64, 3), 60, np.uint8)
    for number, frame in enumerate(frames):
        shift = 6 * (number / peak if number <= peak else (length - 1 - number) / (length - 1 - peak))
        frame[20:40, round(20 + shift) : round(40 + shift)] = 200
    return Recording(frames, np.arange(11, 11 + length), None, (64, 64), None)


def test_key_frames_are_found_or_given() -> None:
    clip = bump(30, 12)
    found = own_clip.moments_of(clip)
    assert (found.onset, found.offset) == (11, 40)
    assert abs(found.apex - 23) <= 1
    assert own_clip.moments_of(clip, apex=20)[1:] == (11, 20, 40)
    for wrong in ({"apex": 11}, {"onset": 30, "apex": 20}, {"apex": 55}):
        with pytest.raises(InputError, match=r"not three rising numbers of frames.*are 11 to 40"):
            own_clip.moments_of(clip, **wrong)


class Toy(nn.Module):
    """Convolution, global mean, linear: the one network whose Grad-CAM is known in closed form."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.conv, self.head = nn.Conv2d(3, 5, 3), nn.Linear(5, 4)

    def forward(self, images: torch.Tensor) -> Output:
        pooled = self.conv(images.flatten(0, 1)).mean((2, 3))
        return Output(self.head(pooled), pooled[:, None])


def test_grad_cam_is_the_formula() -> None:
    toy, wanted = Toy(), torch.tensor([2, 0])
    images = torch.rand(2, 1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    (maps,) = grad_cam(toy, images, [toy.conv], wanted)
    with torch.no_grad():
        activity = toy.conv(images[:, 0])
        expected = torch.einsum("nk,nkhw->nhw", toy.head.weight[wanted] / 35, activity).relu()
    assert maps.shape == (2, 7, 5)
    torch.testing.assert_close(maps, expected)
    assert expected.any()


@pytest.mark.parametrize("streams", ["shared", "dedicated"])
def test_each_stream_has_its_own_map(streams: str) -> None:
    torch.manual_seed(0)
    model = build("dianet", 3, backbone="test_efficientnet", streams=streams, fusion="concat")
    images = torch.randn(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    wanted = torch.tensor([1, 2])
    maps = look(model, images, wanted)
    assert maps.shape == (2, 2, 8, 8)
    alone = look(model, images[1:], wanted[1:])
    torch.testing.assert_close(maps[1:], alone)  # a clip's map does not depend on the batch
    with pytest.raises(InputError, match="needs a convolutional backbone"):
        look(build("dianet", 3, backbone="test_vit"), torch.randn(1, 2, 3, 160, 160), wanted[:1])


def test_an_answer_names_every_class_and_both_streams() -> None:
    torch.manual_seed(0)
    config = configure("synthetic", image_size=64)
    model = Saved(Path("here"), build("dianet", 3, backbone="test_efficientnet"), config, ("a", "b", "c"), {})
    model.model.eval()
    clip = bump(20, 8)
    images = own_clip.clip_inputs(clip, Moments(clip.numbers, 11, 19, 30), config)
    answer = own_clip.ask(model, images)
    assert sorted(answer.probabilities.index) == ["a", "b", "c"]
    assert answer.probabilities.is_monotonic_decreasing
    assert answer.probabilities.sum() == pytest.approx(1)
    assert answer.looks.shape == (2, 8, 8)
    assert answer.attention is not None
    assert answer.attention.sum(-1) == pytest.approx(np.ones((2, 512)), abs=1e-4)


def test_a_synthetic_video_is_whole_and_the_same_again(tmp_path: Path) -> None:
    plan = synthetic.plan(PERSON)[1]
    path = write_video(plan, PERSON, tmp_path / "new" / "clip.avi")
    clip = read_recording(path)
    assert len(clip.frames) == plan.offset - plan.onset + 1
    assert list(path.parent.iterdir()) == [path]
    assert write_video(plan, PERSON, tmp_path / "again.avi").read_bytes() == path.read_bytes()


SMALL_DISK = """
import resource, sys
from pathlib import Path
from dianet_utils import synthetic
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.video import write_video
settings = synthetic.Settings(subjects=2, clips_per_emotion=1, seed=7, size=96, duration=(16, 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    write_video(synthetic.plan(settings)[1], settings, Path(sys.argv[1]))
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_video_that_the_disk_cuts_short_is_told_and_not_left(tmp_path: Path) -> None:
    """No file may grow beyond 60 kB, as on a disk that is full then."""
    command = [sys.executable, "-c", SMALL_DISK, str(tmp_path / "clip.avi")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "was cut short in writing (" in told
    assert "make room on that disk" in told
    assert not list(tmp_path.iterdir())
