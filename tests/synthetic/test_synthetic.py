"""The synthetic generator: the same bytes every time, the motion it says, no label given away."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, pearsonr

from dianet_utils import datasets, synthetic
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic import UNITS, ClipPlan, Settings

TINY = Settings(
    subjects=2, clips_per_emotion=1, emotions=("happiness", "surprise"), size=64, duration=(16, 20), seed=5
)
CLEAR = Settings.version_1(subjects=3, amplitude_px=3.0, amplitude_spread=0.0, noise=0.5, drift_px=0.0)
STILL = replace(CLEAR, rotation_degrees=0.0, flicker=0.0, blink_probability=0.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny dataset, written by this process alone."""
    return synthetic.generate(TINY, tmp_path_factory.mktemp("synthetic") / "one", workers=1, shown=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def one_unit(unit: int, peak_px: float = 3.0) -> ClipPlan:
    """A clip in which one unit moves alone, on both sides and at once."""
    clip = synthetic.plan(STILL)[0]
    return replace(
        clip, action_units={unit: peak_px}, gains={unit: (1.0, 1.0)}, delays={unit: 0.0}, blink=None
    )


def grey_pair(clip: ClipPlan, settings: Settings) -> list[np.ndarray]:
    """Onset and true apex frame, grey."""
    frames = synthetic.render_clip(clip, settings, [clip.onset, clip.true_apex])
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]


# The same settings give the same files.


def test_same_bytes_in_one_process_and_in_two(dataset: Path, tmp_path: Path) -> None:
    two = synthetic.generate(TINY, tmp_path / "two", workers=2, shown=False)
    assert contents(two) == contents(dataset)


def test_a_frame_is_the_same_whatever_is_rendered_with_it() -> None:
    clip = synthetic.plan(TINY)[0]
    whole = list(synthetic.render_clip(clip, TINY))
    assert len(whole) == clip.offset
    (alone,) = synthetic.render_clip(clip, TINY, [7])
    assert alone.dtype == np.uint8
    assert alone.shape == (64, 64, 3)
    np.testing.assert_array_equal(alone, whole[6])


def test_files_hold_the_frames_as_encoded_once(dataset: Path) -> None:
    clip = synthetic.plan(TINY)[0]
    frame = next(synthetic.render_clip(clip, TINY))
    encoded = cv2.imencode(".jpg", frame[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, TINY.jpeg_quality])[1]
    assert (dataset / "frames" / clip.clip / "img0001.jpg").read_bytes() == encoded.tobytes()


def test_resumes_after_losses_with_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    clips = [copy / "frames" / clip.clip for clip in synthetic.plan(TINY)]
    shutil.rmtree(clips[0])
    (clips[1] / "img0003.jpg").unlink()
    (clips[2] / "img0004.jpg").write_bytes((clips[2] / "img0004.jpg").read_bytes()[:100])
    kept = (clips[3] / "img0001.jpg").stat().st_mtime_ns
    synthetic.generate(TINY, copy, workers=1, shown=False)
    assert contents(copy) == contents(dataset)
    assert (clips[3] / "img0001.jpg").stat().st_mtime_ns == kept


def test_goes_on_where_a_killed_run_stopped(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    (copy / "complete.json").unlink()
    clips = [copy / "frames" / clip.clip for clip in synthetic.plan(TINY)]
    shutil.rmtree(clips[2])
    (clips[3] / "img0002.jpg").write_bytes(b"")
    clips_there = synthetic.load(copy)  # loading finishes what was begun
    assert contents(copy) == contents(dataset)
    assert len(clips_there) == 4


def test_refuses_a_folder_that_holds_something_else(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"other settings \(seed\)"):
        synthetic.generate(replace(TINY, seed=6), dataset, shown=False)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        synthetic.generate(TINY, tmp_path, shown=False)
    with pytest.raises(InputError, match="no synthetic dataset"):
        synthetic.load(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_clip_table(dataset: Path) -> None:
    clips = synthetic.load(dataset)
    plans = {clip.clip: clip for clip in synthetic.plan(TINY)}
    assert clips.index.name == "clip"
    assert list(clips.index) == list(plans)
    assert (datasets.origin(clips), datasets.is_synthetic(clips)) == ("synthetic", True)
    assert set(clips["gender"]) == {"female", "male"}
    for name, clip in clips.iterrows():
        planned = plans[str(name)]
        assert (clip["onset"], clip["apex"], clip["offset"]) == (planned.onset, planned.apex, planned.offset)
        assert clip["onset"] < clip["apex"] < clip["offset"]
        assert clip["emotion"] == planned.emotion
        assert len(list(Path(clip["frames"]).iterdir())) == planned.offset
    truth = json.loads((dataset / "truth.json").read_text())
    assert truth["s01/clip01"]["camera_seed"] == plans["s01/clip01"].camera_seed


# The motion is the motion that the truth says.


@pytest.mark.parametrize("unit", [2, 4, 12, 17])
def test_optical_flow_finds_the_true_motion(unit: int) -> None:
    clip = one_unit(unit)
    truth = synthetic.displacement(clip, STILL, clip.true_apex)
    assert np.hypot(*np.moveaxis(truth, -1, 0)).max() == pytest.approx(3.0, abs=0.05)
    flow = cv2.calcOpticalFlowFarneback(*grey_pair(clip, STILL), None, 0.5, 3, 21, 5, 7, 1.5, 0)
    for axis in (0, 1):
        if np.abs(truth[..., axis]).max() > 1:
            assert pearsonr(flow[..., axis].ravel(), truth[..., axis].ravel()).statistic > 0.7


def test_motion_scales_with_the_frame() -> None:
    clip = one_unit(12)
    small = synthetic.displacement(clip, replace(STILL, size=96), clip.true_apex)
    large = synthetic.displacement(clip, replace(STILL, size=288), clip.true_apex)
    assert np.abs(large).max() == pytest.approx(3 * np.abs(small).max(), rel=0.03)


def dynamic_image(clip: ClipPlan, settings: Settings) -> np.ndarray:
    """The onset phase weighted by 2t - T - 1, in grey levels."""
    frames = np.stack(list(synthetic.render_clip(clip, settings, range(clip.onset, clip.true_apex + 1))))
    time = np.arange(1, len(frames) + 1)
    weights = 2 * time - len(frames) - 1
    return np.tensordot(weights, frames.astype(float), axes=1) / weights[weights > 0].sum()


def test_without_motion_a_dynamic_image_is_noise() -> None:
    settings = replace(STILL, noise=3.0)
    clip = one_unit(12, peak_px=1.0)
    weights = 2 * np.arange(1, clip.true_apex + 1) - clip.true_apex - 1
    floor = 3.0 * np.sqrt((weights**2).sum()) / weights[weights > 0].sum()
    still, moving = (dynamic_image(replace(clip, action_units={12: px}), settings) for px in (0.0, 1.0))
    assert 0.5 * floor < still.std() < 1.5 * floor
    smooth_still, smooth_moving = (cv2.blur(image, (5, 5)).std() for image in (still, moving))
    assert smooth_still < 0.4 * floor
    assert smooth_moving > 2 * smooth_still


# Rows and columns (first, last; of the frame) of each unit's region, none more than a third of the frame.
BROWS, EYES = (0.15, 0.42, 0.2, 0.8), (0.35, 0.58, 0.2, 0.8)
NOSE, MOUTH = (0.35, 0.68, 0.33, 0.67), (0.55, 0.95, 0.25, 0.75)
OWN_REGION = {
    **dict.fromkeys((1, 2, 4), BROWS),
    **dict.fromkeys((5, 6, 7), EYES),
    **dict.fromkeys((9,), NOSE),
    **dict.fromkeys((10, 12, 14, 15, 17, 20, 23, 25), MOUTH),
}


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_each_unit_moves_its_own_region(unit: int) -> None:
    clip = one_unit(unit)
    settings = replace(STILL, noise=0.0)
    frames = synthetic.render_clip(clip, settings, [clip.onset, clip.true_apex])
    onset, apex = (frame.astype(float) for frame in frames)
    energy = ((apex - onset) ** 2).sum(axis=-1)
    top, bottom, left, right = (round(edge * settings.size) for edge in OWN_REGION[unit])
    assert energy[top:bottom, left:right].sum() > 0.75 * energy.sum()


def test_time_courses_rise_to_the_apex_and_keep_a_residual() -> None:
    for clip in synthetic.plan(Settings(subjects=2, phase=0.0)):
        for course in synthetic.activation(clip).values():
            assert len(course) == clip.offset
            assert course[0] == 0
            assert course.argmax() == clip.true_apex - 1
            assert course[-1] == pytest.approx(clip.residual)


def test_control_units_follow() -> None:
    clips = synthetic.plan(Settings(subjects=6))
    together = [clip for clip in clips if {12, 15} <= set(clip.action_units)]
    assert together
    for clip in together:
        course = synthetic.activation(clip)
        assert course[15].argmax() > course[12].argmax()


# Nothing but the motion tells the label.


MANY = Settings(subjects=120, clips_per_emotion=2, emotions=tuple(synthetic.EMOTION_UNITS))


def independence(labels: list[str], values: list[str]) -> float:
    """The p value of a chi-square test of independence."""
    counts = Counter(zip(labels, values, strict=True))
    table = [[counts[label, value] for value in sorted(set(values))] for label in sorted(set(labels))]
    return float(chi2_contingency(table).pvalue)


def test_nothing_beside_the_motion_tells_the_emotion() -> None:
    clips = synthetic.plan(MANY)
    labels = [clip.emotion for clip in clips]
    assert len(set(Counter(labels).values())) == 1
    causes = {
        "blink": [str(clip.blink is not None) for clip in clips],
        "length": [str(clip.offset // 10) for clip in clips],
        "apex": [str(round(5 * clip.true_apex / clip.offset)) for clip in clips],
        "order": [clip.filename for clip in clips],
        "residual": [str(round(5 * clip.residual)) for clip in clips],
        "camera": [str(clip.camera_seed % 4) for clip in clips],
    }
    p_values = {name: independence(labels, values) for name, values in causes.items()}
    assert min(p_values.values()) > 0.01, p_values


def test_every_subject_has_the_same_emotions_so_traits_cannot_tell() -> None:
    per_subject = {}
    for clip in synthetic.plan(MANY):
        per_subject.setdefault(clip.subject, Counter())[clip.emotion] += 1
    assert all(counts == per_subject["s01"] for counts in per_subject.values())


def test_another_seed_has_other_subjects() -> None:
    faces = [{clip.face_seed for clip in synthetic.plan(replace(MANY, seed=seed))} for seed in range(5)]
    assert sum(map(len, faces)) == len(set.union(*faces)) == 5 * 120
    skins = {synthetic.traits_of(synthetic.plan(replace(TINY, seed=seed))[0]).skin for seed in range(5)}
    assert len(skins) == 5


def test_permuted_labels_keep_their_counts_and_lose_their_meaning() -> None:
    true, permuted = synthetic.plan(MANY), synthetic.plan(replace(MANY, permute_labels=True))
    for before, after in zip(true, permuted, strict=True):
        assert replace(after, emotion=before.emotion) == before
    by_subject = [Counter((clip.subject, clip.emotion) for clip in clips) for clips in (true, permuted)]
    assert by_subject[0] == by_subject[1]
    labels = [[clip.emotion for clip in clips] for clips in (true, permuted)]
    assert independence(labels[0], [str(sorted(clip.action_units)) for clip in true]) < 1e-6
    assert independence(*labels) > 0.01


def test_one_knob_changes_one_thing() -> None:
    louder = synthetic.plan(replace(MANY, amplitude_px=2 * MANY.amplitude_px))
    for clip, loud in zip(synthetic.plan(MANY), louder, strict=True):
        assert replace(loud, action_units=clip.action_units) == clip
        assert loud.action_units == pytest.approx({unit: 2 * px for unit, px in clip.action_units.items()})


def test_prototypes_alone_without_ambiguity() -> None:
    for clip in synthetic.plan(replace(MANY, ambiguity=0.0)):
        assert set(clip.action_units) == set(synthetic.EMOTION_UNITS[clip.emotion][0].units)


def test_bad_settings_are_listed_all_at_once() -> None:
    with pytest.raises(InputError) as error:
        Settings(
            subjects=0,
            emotions=("happines", "fear", "fear"),
            noise=-1,
            jpeg_quality=90.5,  # type: ignore[arg-type]
            residual=(0.6, 0.1),
            duration=(40,),  # type: ignore[arg-type]
            permute_labels="no",  # type: ignore[arg-type]
            amplitude_px=float("nan"),
        )
    message = str(error.value)
    for name in (
        "subjects",
        "'happines'",
        "twice",
        "noise",
        "jpeg_quality",
        "residual",
        "duration",
        "permute",
    ):
        assert name in message
    assert "amplitude_px" in message
    assert len(message.splitlines()) == 10


# The clip that stands for the others.


def clip_table(clips: list[ClipPlan], settings: Settings) -> pd.DataFrame:
    """As much of a clip table as names and settings."""
    table = pd.DataFrame(index=[clip.clip for clip in clips])
    table.attrs["settings"] = synthetic.settings.as_json(settings)
    return table


def test_the_clearest_clip_has_open_eyes_and_loses_most_of_its_motion() -> None:
    settings = Settings(subjects=4, clips_per_emotion=2, size=64, blink_probability=0.5)
    clips = synthetic.plan(settings)
    named = synthetic.clearest(clip_table(clips, settings))
    clip = next(each for each in clips if each.clip == named)
    assert synthetic.blink_closure(clip).max() == 0
    at = {n: abs(synthetic.displacement(clip, settings, n)).max() for n in range(clip.onset, clip.offset + 1)}
    assert at[clip.offset] < 0.5 * max(at.values())
    others = [each for each in clips if each.blink is None and each.residual < 0.5]
    assert max(clip.action_units.values()) == max(max(each.action_units.values()) for each in others)


def test_where_every_clip_blinks_one_of_them_is_named_all_the_same() -> None:
    settings = Settings(subjects=2, clips_per_emotion=1, blink_probability=1.0)
    clips = [clip for clip in synthetic.plan(settings) if synthetic.blink_closure(clip).any()]
    assert synthetic.clearest(clip_table(clips, settings)) in {clip.clip for clip in clips}


FACE = np.random.default_rng(4).integers(60, 200, (96, 96, 3)).astype(np.uint8)
EYES, MOUTH = slice(38, 44), slice(62, 72)  # rows of a crop


def write_recorded(folder: Path, rows: slice, levels: list[int]) -> str:
    """A clip of frames 1 .. in which ``rows`` of one face are so many grey levels brighter; its folder."""
    folder.mkdir()
    for number, level in enumerate(levels, start=1):
        frame = FACE.copy()
        frame[rows, 36:60] += np.uint8(level)
        cv2.imwrite(str(folder / f"{number:03d}.png"), frame)
    return str(folder)


def test_of_recorded_clips_the_one_that_returns_is_named_and_no_blink(tmp_path: Path) -> None:
    frames = {
        "stays": write_recorded(tmp_path / "stays", MOUTH, [0, 20, 40, 38, 36]),
        "returns": write_recorded(tmp_path / "returns", MOUTH, [0, 10, 20, 8, 2]),
        "blinks": write_recorded(tmp_path / "blinks", EYES, [0, 25, 50, 10, 0]),
        "lacks a frame": write_recorded(tmp_path / "lacking", MOUTH, [0, 25, 50, 10, 0]),
        "lost": str(tmp_path / "nowhere"),
    }
    (tmp_path / "lacking" / "004.png").unlink()
    clips = pd.DataFrame({"frames": frames}).assign(onset=1, apex=3, offset=5, crop="none")
    assert synthetic.clearest(clips) == "returns"
    assert synthetic.clearest(clips[::-1]) == "returns"
    assert synthetic.clearest(clips.loc[["lost", "lacks a frame"]]) == "lost"
    many = pd.concat([clips.loc[["stays"]].rename(index={"stays": f"{n}"}) for n in range(30)])
    assert synthetic.clearest(pd.concat([many, clips])) == "0"  # the later ones are not looked at


def test_of_clips_that_were_not_generated_the_first_is_named() -> None:
    assert synthetic.clearest(pd.DataFrame(index=["006/b", "006/a"])) == "006/b"
