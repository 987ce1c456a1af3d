"""Who shows which emotion how often; people and emotions are drawn apart, so neither tells the other."""

import numpy as np
from numpy.typing import NDArray

from dianet_utils.synthetic.faces.canvas import generator
from dianet_utils.synthetic.settings import Settings

FEWEST = 3  # clips of a subject, where there are enough
NOBODY = 0  # subjects count from 1, so no subject's draws have this number

Labels = list[NDArray[np.str_]]  # of each subject, one emotion per clip


def allocate(settings: Settings) -> tuple[Labels, Labels]:
    """The emotions that each subject shows by ``class_sizes``, and the labels they get, in random order.

    Class totals are exact for every seed. Each subject has ``FEWEST`` clips and a share of the others
    drawn evenly from all ways to share them out (a flat Dirichlet, then a multinomial draw), so counts are
    as uneven as those of CASME II; which emotions these are is a shuffle of all clips. A balanced dataset
    deals them out instead. ``permute_labels`` shuffles the labels of the whole dataset: within a subject
    of three clips one in three would stay right.
    """
    random = generator(settings.seed, NOBODY)
    total = sum(settings.class_sizes)
    if settings.balanced:
        deal = _dealt(settings.subjects, total, random)
        emotions = np.repeat(settings.emotions, even_sizes(total, len(settings.emotions)))
    else:
        deal = np.repeat(np.arange(settings.subjects), _clip_counts(settings.subjects, total, random))
        emotions = random.permutation(np.repeat(settings.emotions, settings.class_sizes))
    order = random.permutation(total)  # so that no emotion's clips come first
    deal, emotions = deal[order], emotions[order]
    labels = random.permutation(emotions) if settings.permute_labels else emotions
    people = range(settings.subjects)
    return [emotions[deal == each] for each in people], [labels[deal == each] for each in people]


def even_sizes(total: int, parts: int) -> list[int]:
    """``total`` in whole parts that differ by at most one, the larger ones first."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def _clip_counts(subjects: int, total: int, random: np.random.Generator) -> NDArray[np.int64]:
    """How many clips each subject has [subjects]: uneven, at least ``FEWEST`` and ``total`` together."""
    fewest = min(FEWEST, total // subjects)
    shares = random.dirichlet(np.ones(subjects))
    return fewest + random.multinomial(total - fewest * subjects, shares)


def _dealt(subjects: int, total: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The subject of each clip [total] when clips, emotion by emotion, are dealt out in a circle."""
    return random.permutation(subjects)[np.arange(total) % subjects]
