"""The bank: streamed, cached and resumed images against a plain loop over the files."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from dianet_utils import dynamic_images
from dianet_utils.dynamic_images import arp_weights, bank, build_bank
from dianet_utils.dynamic_images.clip import Source
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

HEIGHT, WIDTH, SIZE = 60, 72, 24
CLIPS = {"01/a": (5, 9, 16), "01/b": (1, 4, 8), "02/a": (11, 13, 20), "03/c": (2, 3, 5)}
EMOTIONS = ["others", "happiness", "others", "disgust"]


def write_frames(folder, numbers, seed):
    """A soft pattern that moves a little, one JPEG a number, unpadded."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (8, 9, 3), dtype=np.uint8)
    still = cv2.resize(coarse, (WIDTH + 8, HEIGHT), interpolation=cv2.INTER_CUBIC)
    folder.mkdir(parents=True)
    for step, number in enumerate(numbers):
        frame = still[:, step % 8 : step % 8 + WIDTH]
        cv2.imwrite(str(folder / f"img{number}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 95])


@pytest.fixture
def clips(tmp_path):
    """A clip table of four clips on disk; each folder holds frames outside onset..offset as well."""
    rows = []
    for seed, (name, (onset, apex, offset)) in enumerate(CLIPS.items()):
        folder = tmp_path / "frames" / name
        write_frames(folder, range(max(onset - 1, 0), offset + 3), seed)
        (folder / "notes.txt").write_text("no frame")
        rows.append((name, name[:2], EMOTIONS[seed], onset, apex, offset, str(folder), "none", ""))
    columns = ["clip", "subject", "emotion", "onset", "apex", "offset", "frames", "crop", "problem"]
    table = pd.DataFrame(rows, columns=columns).set_index("clip")
    return table.astype({"onset": "Int64", "apex": "Int64", "offset": "Int64"})


@pytest.fixture
def make(clips, tmp_path):
    """``build_bank`` on the four clips, small and in a cache of this test's own."""

    def make(table=clips, **changes):
        given = {"size": SIZE, "workers": 2, "shown": False, "cache": tmp_path / "cache", **changes}
        return build_bank(table, **given)

    return make


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files decoded from here on."""
    from dianet_utils.dynamic_images import clip

    names, read = [], clip.read_frame
    monkeypatch.setattr(clip, "read_frame", lambda path: names.append(str(path)) or read(path))
    return names


def plain_image(row, first, last, sign, temporal=None):
    """One phase by the book: read with OpenCV, sum in float64, resize, RGB first."""
    read = [cv2.imread(f"{row.frames}/img{n}.jpg").astype(np.float64) for n in range(first, last + 1)]
    if temporal:
        positions = np.linspace(0, len(read) - 1, temporal)
        before = np.minimum(positions.astype(int), len(read) - 2)
        read = [
            read[b] * (1 - (p - b)) + read[b + 1] * (p - b) for b, p in zip(before, positions, strict=True)
        ]
    total = np.zeros((HEIGHT, WIDTH, 3))
    for t, frame in enumerate(read, start=1):
        total += sign * (2 * t - len(read) - 1) * frame
    return cv2.resize(total, (SIZE, SIZE), interpolation=cv2.INTER_AREA)[:, :, ::-1].transpose(2, 0, 1)


def plain_images(row, temporal=None):
    return [
        plain_image(row, row.onset, row.offset, 1, temporal),
        plain_image(row, row.onset, row.apex, 1, temporal),
        plain_image(row, row.apex, row.offset, -1, temporal),
    ]


@pytest.mark.parametrize("temporal", [None, 6])
def test_bank_is_what_a_plain_loop_gives(clips, make, temporal):
    found = make(phases=["whole", "onset", "offset"], temporal=temporal)
    assert found.images.shape == (4, 3, 3, SIZE, SIZE)
    assert found.images.dtype == np.uint8
    for images, row in zip(found.images, clips.itertuples(), strict=True):
        for image, plain in zip(images, plain_images(row, temporal), strict=True):
            expected = (plain - plain.min()) * 255 / np.ptp(plain)
            np.testing.assert_allclose(image, expected, atol=0.51)
            assert (image.min(), image.max()) == (0, 255)


def test_signed_bank_is_what_a_plain_loop_gives(clips, make):
    found = make(phases=["whole", "onset", "offset"], scaling="signed")
    assert found.images.dtype == np.float32
    for images, row in zip(found.images, clips.itertuples(), strict=True):
        for image, plain in zip(images, plain_images(row), strict=True):
            expected = np.clip(plain / (3 * 1.4826 * np.median(np.abs(plain))), -1, 1)
            np.testing.assert_allclose(image, expected, atol=1e-5)


@pytest.mark.parametrize("weighting", ["harmonic", "rank"])
@pytest.mark.parametrize("temporal", [None, 6])
def test_other_weightings_differ_and_still_vanish_on_a_static_clip(clips, make, weighting, temporal):
    folder = Path(clips["frames"].iloc[0])
    for number in range(6, 17):
        shutil.copyfile(folder / "img5.jpg", folder / f"img{number}.jpg")
    found = make(weighting=weighting, temporal=temporal, scaling="signed").images
    other_images = make(scaling="signed").images
    assert not found[0].any()
    assert all(
        np.abs(images - other).max() > 0.05
        for images, other in zip(found[1:3], other_images[1:3], strict=True)
    )


# --- inputs of other systems -----------------------------------------------------------------------


def channels_first(image):
    return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)


def rgb_frames(row, first, last):
    return [cv2.imread(f"{row.frames}/img{n}.jpg")[:, :, ::-1] for n in range(first, last + 1)]


def test_the_active_image_is_grey_and_sums_distant_pairs(clips, make):
    found = make(phases=["active"], scaling="signed").images[:, 0]
    for images, row in zip(found, clips.itertuples(), strict=True):
        grey = [frame @ np.array([0.299, 0.587, 0.114]) for frame in rgb_frames(row, row.onset, row.offset)]
        total = sum(grey[j] - grey[k] for j in range(len(grey)) for k in range(j - 1))
        plain = channels_first(np.repeat(total[..., None], 3, axis=2))
        expected = np.clip(plain / (3 * 1.4826 * np.median(np.abs(plain))), -1, 1)
        np.testing.assert_allclose(images, expected, atol=1e-3)


def test_the_affective_image_sums_all_pairs_by_their_speed(clips, make):
    found = make(phases=["affective"]).images[:, 0]
    for images, row in zip(found, clips.itertuples(), strict=True):
        read = [frame.astype(float) for frame in rgb_frames(row, row.onset, row.offset)]
        plain = channels_first(sum((read[j] - read[k]) / (j - k) for j in range(len(read)) for k in range(j)))
        np.testing.assert_allclose(images, (plain - plain.min()) * 255 / np.ptp(plain), atol=0.52)


@pytest.mark.parametrize("scaling", ["minmax", "signed"])
def test_flow_runs_from_onset_to_apex(clips, make, scaling):
    found = make(phases=["flow"], scaling=scaling).images[:, 0]
    scale = {"minmax": dynamic_images.scale_centred, "signed": dynamic_images.scale_signed}[scaling]
    for images, row in zip(found, clips.itertuples(), strict=True):
        onset, apex = (np.ascontiguousarray(rgb_frames(row, n, n)[0]) for n in (row.onset, row.apex))
        flow = dynamic_images.optical_flow(onset, apex)
        expected = scale(cv2.resize(flow, (SIZE, SIZE), interpolation=cv2.INTER_AREA)).transpose(2, 0, 1)
        np.testing.assert_allclose(images, expected, atol=1 if scaling == "minmax" else 1e-3)
        assert np.sign(images[0].astype(int) - 128 if scaling == "minmax" else images[0]).mean() < -0.5


@pytest.mark.parametrize("weighting", ["arp", "rank"])
@pytest.mark.parametrize("temporal", [None, 6])
def test_what_else_a_bank_holds_changes_nothing(make, decoded, weighting, temporal):
    """All inputs come from one pass over the files, each as if it were alone."""
    inputs = ["whole", "active", "affective", "flow", "onset"]
    given = {"weighting": weighting, "temporal": temporal}
    together = make(phases=inputs, **given).images
    assert len(decoded) == len(set(decoded))
    for place, name in enumerate(inputs):
        assert (make(phases=[name], **given).images[:, 0] == together[:, place]).all()


def test_other_inputs_have_their_own_weights_under_every_weighting(make):
    inputs = ["active", "affective", "flow"]
    assert (make(phases=inputs).images == make(phases=inputs, weighting="rank").images).all()


def test_an_active_image_of_two_frames_is_blank_and_said(clips, make, capsys):
    clips.loc["03/c", "offset"] = 3
    images = make(phases=["active", "affective"], shown=True).images
    assert not images[3, 0].any()
    assert images[3, 1].any()
    assert "blank dynamic image: 03/c (active)." in capsys.readouterr().out


def test_flow_of_missing_frames_takes_the_nearest_inside(clips, make):
    os.remove(clips["frames"].iloc[0] + "/img5.jpg")
    found = make(phases=["flow"], scaling="signed").images[0, 0]
    moved = clips.copy()
    moved.loc["01/a", "onset"] = 6
    np.testing.assert_array_equal(found, make(moved, phases=["flow"], scaling="signed").images[0, 0])


def test_phases_come_in_the_order_asked_for(make):
    one = make(phases=["offset", "whole"])
    assert one.phases == ("offset", "whole")
    assert (one.images == make(phases=["whole", "onset", "offset"]).images[:, [2, 0]]).all()


def test_the_crop_is_the_clips_one_box(clips, make, monkeypatch):
    from dianet_utils.datasets.frames import Box
    from dianet_utils.dynamic_images import clip

    clips["crop"] = "face"
    monkeypatch.setattr(clip, "clip_box", lambda row: Box(4, 10, 40, 40))
    row = clips.iloc[0]
    total = np.zeros((40, 40, 3))
    for number, weight in zip(range(5, 10), arp_weights(5), strict=True):
        total += weight * cv2.imread(f"{row.frames}/img{number}.jpg")[10:50, 4:44].astype(float)
    plain = cv2.resize(total, (SIZE, SIZE), interpolation=cv2.INTER_AREA)[:, :, ::-1].transpose(2, 0, 1)
    expected = (plain - plain.min()) * 255 / np.ptp(plain)
    np.testing.assert_allclose(make(clips).images[0, 0], expected, atol=0.51)


def test_workers_change_nothing(make, tmp_path):
    prints = {make(workers=n, cache=tmp_path / str(n)).fingerprint for n in (1, 2, 5)}
    assert len(prints) == 1


def test_table_classes_targets(clips, make):
    found = make()
    assert found.clips is clips
    assert found.classes == ["disgust", "happiness", "others"]
    assert found.targets.tolist() == [2, 1, 2, 0]
    assert found.targets.dtype == np.int64


def test_fingerprint_is_of_the_content(clips, make, tmp_path):
    original = make().fingerprint
    other_place = clips.copy()
    os.rename(tmp_path / "frames", tmp_path / "moved")
    other_place["frames"] = clips["frames"].str.replace("frames", "moved")
    assert make(other_place, cache=tmp_path / "new").fingerprint == original
    relabelled = other_place.assign(emotion="others")
    assert make(relabelled).fingerprint != original
    assert make(other_place, phases=["onset"]).fingerprint != original
    assert make(other_place.iloc[::-1]).fingerprint != original


# --- the cache -------------------------------------------------------------------------------------


def test_the_second_time_decodes_nothing(make, decoded, tmp_path):
    first = make()
    assert decoded
    decoded.clear()
    assert make().fingerprint == first.fingerprint
    assert not decoded
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size]
    assert {path.suffix for path in kept} == {".npy", ".json"}  # and a lock, which is empty


def test_anything_that_went_in_renews_the_cache(clips, make, decoded, monkeypatch):
    from dianet_utils.dynamic_images import clip, store

    changes = [{"size": 16}, {"temporal": 5}, {"scaling": "signed"}, {"weighting": "harmonic"}]
    changes += [{"phases": ["onset"]}, {"table": clips.assign(apex=clips["apex"] + 1)}, {"table": clips[:3]}]
    make()
    for change in changes:
        decoded.clear()
        make(**change)
        assert decoded or "table" in change, change
    file = clips["frames"].iloc[0] + "/img7.jpg"
    os.utime(file, ns=(1, 1))
    decoded.clear()
    make()
    assert len(decoded) == sum(offset - onset + 1 for onset, _, offset in CLIPS.values())
    for module in (clip, store):
        monkeypatch.setattr(module, "VERSION", clip.VERSION + 1)
    decoded.clear()
    make()
    assert decoded


def damage_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_bit(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)


def damage_header(path):
    """A bracket less: numpy raises an error of the tokenizer."""
    path.write_bytes(path.read_bytes().replace(b"), }", b" , }", 1))


def damage_shape(path):
    """A header that asks for a petabyte."""
    path.write_bytes(path.read_bytes().replace(b"(4, 2, 3, 24, 24)", b"(9999999999999, 1)", 1))


def damage_all(path):
    path.write_bytes(b"")


def damage_remove(path):
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "suffix"),
    [
        *((damage, ".json") for damage in (damage_half, damage_bit, damage_all, damage_remove)),
        *((damage, ".npy") for damage in (damage_half, damage_bit, damage_all, damage_remove)),
        (damage_header, ".npy"),
        (damage_shape, ".npy"),
    ],
)
def test_a_damaged_bank_is_made_again(make, decoded, tmp_path, capsys, damage, suffix):
    original = make().fingerprint
    (path,) = (tmp_path / "cache").glob(f"*{suffix}")
    damage(path)
    decoded.clear()
    assert make().fingerprint == original
    assert decoded
    assert "is made again" in capsys.readouterr().out
    decoded.clear()
    make()
    assert not decoded


@pytest.mark.parametrize("damage", [damage_half, damage_bit, damage_all])
def test_parts_are_taken_up_and_damaged_ones_made_again(make, decoded, tmp_path, capsys, monkeypatch, damage):
    original = make(cache=tmp_path / "other").fingerprint
    monkeypatch.setattr(bank.Store, "save", lambda store, images: images)  # as if killed before the end
    make()
    parts = sorted((tmp_path / "cache" / "parts").iterdir())
    assert len(parts) == len(CLIPS)
    decoded.clear()
    assert make().fingerprint == original
    assert not decoded
    damage(parts[1])
    assert make().fingerprint == original
    assert len({os.path.dirname(name) for name in decoded}) == 1
    assert "is damaged: clip" in capsys.readouterr().out


KILLED = """
import sys, time
import pandas as pd
from dianet_utils.dynamic_images import bank, build_bank
keep = bank.Store.save_part
def slow(store, clip, images):
    keep(store, clip, images)
    print("part", flush=True)
    time.sleep(0.3)
bank.Store.save_part = slow
clips = pd.read_json(sys.argv[1], orient="split", dtype={"subject": str})
build_bank(clips, size=24, workers=1, shown=False, cache=sys.argv[2])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_build_goes_on_where_it_stopped(clips, make, decoded, tmp_path):
    clips.to_json(tmp_path / "clips.json", orient="split")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "clips.json"), str(tmp_path / "cache")]
    with subprocess.Popen(command, cwd=files.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "part\n"
        process.kill()
    parts = list((tmp_path / "cache" / "parts").glob("*.npz"))
    assert 1 <= len(parts) < len(CLIPS)
    found = make()
    finished = {os.path.dirname(name) for name in decoded}
    assert len(finished) == len(CLIPS) - len(parts)
    assert found.fingerprint == make(cache=tmp_path / "other").fingerprint


# --- bad input -------------------------------------------------------------------------------------


def test_unreadable_frames_are_named_all_at_once_and_the_rest_is_kept(clips, make, decoded, tmp_path):
    broken = [
        Path(clips["frames"].iloc[clip], name)
        for clip, name in ((0, "img6.jpg"), (0, "img8.jpg"), (2, "img20.jpg"))
    ]
    contents = [path.read_bytes() for path in broken]
    for path in broken:
        damage_half(path)
    with pytest.raises(InputError) as error:
        make()
    assert [path for path in broken if path.as_posix() not in str(error.value)] == []
    assert str(error.value).startswith("3 problems")
    for path, content in zip(broken, contents, strict=True):
        path.write_bytes(content)
    decoded.clear()
    assert make().fingerprint == make(cache=tmp_path / "other").fingerprint
    first_build = [name for name in decoded if decoded.count(name) == 2]
    assert {os.path.dirname(name) for name in first_build} == {
        clips["frames"].iloc[0],
        clips["frames"].iloc[2],
    }


def test_clips_that_cannot_be_used_are_named_all_at_once(clips, make):
    clips.loc["01/a", "apex"] = pd.NA
    clips.loc["01/b", "problem"] = "apex '/' is not a number"
    clips.loc["02/a", "frames"] += "x"
    clips.loc["03/c", ["onset", "apex", "offset"]] = [90, 95, 99]
    with pytest.raises(InputError) as error:
        make()
    lines = str(error.value).splitlines()
    assert lines[0].startswith("4 clips cannot be used")
    assert all(line.startswith(name) for line, name in zip(lines[1:], CLIPS, strict=True))


def test_frames_of_two_sizes_are_an_error(clips, make):
    cv2.imwrite(clips["frames"].iloc[1] + "/img3.jpg", np.zeros((HEIGHT, WIDTH - 1, 3), np.uint8))
    for weighting in ("arp", "rank"):
        with pytest.raises(
            InputError, match=r"01/b/img3.jpg is 71 x 60 pixels but the first of its clip is 72 x 60"
        ):
            make(weighting=weighting)


def test_missing_frames_are_passed_over_and_said(clips, make, capsys):
    for number in (6, 13):
        os.remove(clips["frames"].iloc[0] + f"/img{number}.jpg")
    images = make(phases=["onset"], shown=True, scaling="signed").images
    assert "without a file are passed over: 01/a (2)." in capsys.readouterr().out
    read = [cv2.imread(clips["frames"].iloc[0] + f"/img{n}.jpg").astype(float) for n in (5, 7, 8, 9)]
    total = sum(w * f for w, f in zip((-3, -1, 1, 3), read, strict=True))
    plain = cv2.resize(total, (SIZE, SIZE), interpolation=cv2.INTER_AREA)[:, :, ::-1].transpose(2, 0, 1)
    expected = np.clip(plain / (3 * 1.4826 * np.median(np.abs(plain))), -1, 1)
    np.testing.assert_allclose(images[0, 0], expected, atol=1e-5)


def test_a_phase_of_one_frame_is_blank_and_said(clips, make, capsys):
    clips.loc["01/a", "apex"] = 5
    images = make(shown=True).images
    assert not images[0, 0].any()
    assert images[0, 1].any()
    assert "blank dynamic image: 01/a (onset)." in capsys.readouterr().out


def test_wrong_parameters_are_named_at_once(make):
    with pytest.raises(InputError) as error:
        make(phases=["apex"], size=0, weighting="arq", temporal=1, scaling="none", workers=-1)
    for name in ("phases", "size", "weighting", "temporal", "scaling", "workers"):
        assert f"parameter {name} " in str(error.value)
    with pytest.raises(InputError, match="at least one row"):
        make(table=pd.DataFrame())


def test_the_cache_note_says_what_went_in(clips, make, tmp_path):
    make()
    (path,) = (tmp_path / "cache").glob("*.json")
    note = json.loads(path.read_text())
    assert note["recipe"]["size"] == SIZE
    assert list(note["clips"]) == list(CLIPS)
    recipe = bank.Recipe(("onset", "offset"), SIZE, "arp", None, "minmax")
    assert note["clips"]["01/a"] == Source.of(clips.iloc[0]).key(recipe)
