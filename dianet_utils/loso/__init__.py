"""Leave-one-subject-out: folds, their training, where they run, and the folder that keeps them.

``splits`` says which clips are tested together, ``folds`` who trains, validates and is tested; ``training``
is one fold from its first epoch to its predictions, with ``epochs`` (one pass), ``batches`` and
``augmentation``; ``executors`` runs folds here, in ``worker_processes`` or on a ``dask_cluster``, each as
``one_fold``; ``protocol`` ties them together; ``run_folder`` and ``fold_files`` are what is kept;
``transfer`` trains on one dataset and tests on another.
"""

from dianet_utils.loso.folds import Fold, everyone_fold, held_out_subjects, make_folds
from dianet_utils.loso.protocol import run, run_folds, run_name
from dianet_utils.loso.run_folder import Results, gather
from dianet_utils.loso.splits import as_column, fold_names, splitter

__all__ = [
    "Fold",
    "Results",
    "as_column",
    "everyone_fold",
    "fold_names",
    "gather",
    "held_out_subjects",
    "make_folds",
    "run",
    "run_folds",
    "run_name",
    "splitter",
]
