"""How fast the collection is, as ratios measured in one run: ``python -m benchmarks``.

``material`` makes what is measured on, ``measure`` runs contenders in turn, ``textbook`` holds the
yardsticks, ``bank``, ``training``, ``folds`` and ``startup`` are the benchmarks, ``report`` writes them down.
"""
