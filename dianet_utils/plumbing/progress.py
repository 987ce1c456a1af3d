"""Progress that reads well everywhere: a terminal, a notebook, a papermill log, a stored output.

Plain printed lines are the one form that all four keep (progress bars freeze at 0 % under papermill
and leave dozens of chunks in stored outputs).
"""

import time


def duration(seconds: float) -> str:
    """A duration for people: ``8 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


class Progress:
    """Print how far a piece of work is, at most once every ``every`` seconds, and when it ends.

    ``total`` is how many ``unit`` there are to do; ``every=0`` prints a line for each step.
    """

    def __init__(self, total: int, unit: str, label: str, every: float = 10.0, shown: bool = True):
        self.total, self.unit, self.label = total, unit, label
        self.every, self.shown = every, shown
        self.done = 0
        self.start = self.last = time.monotonic()

    def advance(self, note: str = "") -> None:
        """Count one more step as done; ``note`` is added to the line if one is printed."""
        self.done += 1
        now = time.monotonic()
        if self.shown and (self.done == self.total or now - self.last >= self.every):
            self.last = now
            print(self._line(now - self.start, note), flush=True)

    def _line(self, elapsed: float, note: str) -> str:
        left = elapsed / self.done * (self.total - self.done)
        when = f"about {duration(left)} left" if self.done < self.total else duration(elapsed)
        line = f"{self.label}: {self.done}/{self.total} {self.unit}, {when}"
        return f"{line}, {note}" if note else line
