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


_QUIET = 30.0  # seconds without a step after which a line tells how far the running one is


class Progress:
    """Print how far a piece of work is, at most once every ``every`` seconds, and when it ends.

    ``total`` is how many ``unit`` there are to do; ``every=0`` prints a line for each step.
    """

    def __init__(self, total: int, unit: str, label: str, every: float = 10.0, shown: bool = True):
        self.total, self.unit, self.label = total, unit, label
        self.every, self.shown = every, shown
        self.done = 0
        self.running: dict[str, float] = {}  # the share that is done of each step under way
        self.start = self.last = self.heard = time.monotonic()
        self.since = (self.start, 0.0)  # when the work began, after any preparation, and what was done then

    def advance(self, note: str = "", step: str = "") -> None:
        """Count one more step as done, ``step`` where it has a name; ``note`` ends the line."""
        self.done += 1
        self.running.pop(step, None)
        now = self.heard = time.monotonic()
        if self.shown and (self.done == self.total or now - self.last >= self.every):
            self.last = now
            print(self._line(now, note), flush=True)

    def within(self, step: str, share: float, note: str) -> None:
        """Tell how far a step is, ``share`` from 0 to 1, at most once in 30 s; others may run beside it."""
        now = time.monotonic()
        if not self.done and not self.running:
            self.since = (now, share)
        self.running[step] = share
        if self.shown and share > 0 and now - self.heard >= _QUIET:
            self.heard = now
            print(self._line(now, f"{step}: {note}"), flush=True)

    def _line(self, now: float, note: str) -> str:
        parts = [f"{self.label}: {self.done}/{self.total} {self.unit}", self._when(now), note]
        return ", ".join(part for part in parts if part)

    def _when(self, now: float) -> str:
        """How long all of it took, or about how long the rest will take; "" before that is known."""
        if self.done == self.total:
            return duration(now - self.start)
        began, before = self.since
        done = self.done + sum(self.running.values())
        if done <= before:
            return ""
        return f"about {duration((now - began) / (done - before) * (self.total - done))} left"
