"""What is lost between a dataset's clip and the same clip as a video: notebook 12, section 10.

120 synthetic clips of 24 people whom no model has seen, each emotion equally often, are read by the saved
model of notebook 04 with the dataset's own crop and apex, with the face found, and with the apex found as
well. The answers go to results/reference/12_own_clip/predictions.csv. About four minutes of one core:

    python tools/run_own_clip_trial.py [MODEL_FOLDER]
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from dianet_utils import datasets, dynamic_images, run, synthetic
from dianet_utils.datasets.frames import Framing, framing_of
from dianet_utils.datasets.recording import read_recording
from dianet_utils.evaluation.own_clip_trial import KEPT, summary
from dianet_utils.models import own_clip, saved
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.video import write_video

SETTINGS = synthetic.Settings(subjects=24, clips_per_emotion=1, seed=2026)


def load_model(folder: str | None) -> saved.Saved:
    """The model in ``folder``, or that of notebook 04's default run, trained if it is not there yet."""
    if folder is None:
        kept, _ = datasets.select(datasets.load("synthetic"))
        config = run.config_of(run.check_parameters({"dataset": "synthetic"}))
        bank = run.make_bank(kept, config)
        folder = str(run.keep_model(bank, config, run.run_folder(bank, config, None), "cpu"))
    return saved.load(folder)


def answers(
    model: saved.Saved, images: np.ndarray, plan: synthetic.ClipPlan, video: Path, framing: Framing | None
) -> Iterator[tuple[str, str, int]]:
    """Way, answer and apex of one clip; where no face is certain the answer is empty."""
    yield "dataset", own_clip.ask(model, images).probabilities.index[0], plan.apex
    try:
        recording = read_recording(video, framing=framing)
    except InputError as error:
        print(error)
        yield from (("face", "", plan.apex), ("face and apex", "", plan.apex))
        return
    for way, apex in (("face", plan.apex), ("face and apex", None)):
        moments = own_clip.moments_of(recording, apex=apex)
        inputs = own_clip.clip_inputs(recording, moments, model.config)
        yield way, own_clip.ask(model, inputs).probabilities.index[0], moments.apex


def main(folder: str | None = None) -> None:
    """Make the clips, ask the model in each way and keep the answers."""
    model, rows = load_model(folder), []
    framing = framing_of(datasets.load("synthetic"))
    with TemporaryDirectory() as place:
        clips = datasets.load("synthetic", synthetic.generate(SETTINGS, f"{place}/clips", workers=1))
        config = model.config
        bank = dynamic_images.build_bank(
            clips, config.inputs, config.image_size, scaling=config.scaling, cache=f"{place}/bank", workers=1
        )
        for plan in synthetic.plan(SETTINGS):
            name = f"{plan.subject}/{plan.filename}"
            video = write_video(plan, SETTINGS, Path(place) / "clip.avi")
            images = bank.images[clips.index.get_loc(name)]
            for way, predicted, apex in answers(model, images, plan, video, framing):
                row = (name, plan.subject, plan.emotion, way, predicted, apex, plan.true_apex)
                rows.append(row)
            print(len(rows) // 3, "of", len(clips), flush=True)
    names = ["clip", "subject", "true", "way", "predicted", "apex", "true_apex"]
    table = pd.DataFrame(rows, columns=names)
    files.write_text(KEPT, table.to_csv(index=False))
    print(summary(table).round(1).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:2])
