"""Figures with controls, where somebody can move them; elsewhere the same figure, once."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from matplotlib.figure import Figure


def explore(draw: Callable[..., Figure], **choices: Sequence[Any]) -> None:
    """Show ``draw(name=value, ...)`` with a control for each choice: a slider for numbers, else a list.

    The first value of each choice is drawn first. Without a reader at a live notebook (papermill, nbval, a
    static page) or without ipywidgets, the figure is drawn once, with the first values.
    """
    if not (has_reader() and find_spec("ipywidgets")):
        draw(**{name: values[0] for name, values in choices.items()})
        return
    import ipywidgets
    import matplotlib.pyplot as plt

    def redraw(**chosen: Any) -> None:
        draw(**chosen)
        plt.show()

    ipywidgets.interact(redraw, **{name: _control(values) for name, values in choices.items()})


def has_reader() -> bool:
    """Whether this kernel's front end can ask its reader: papermill, nbclient and nbval cannot."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


def _control(values: Sequence[Any]) -> Any:
    """A slider over numbers, which starts at the first of them; else a list to choose from."""
    import ipywidgets

    if not all(isinstance(value, int) for value in values):
        return ipywidgets.Dropdown(options=list(values))
    look = {"layout": ipywidgets.Layout(width="95%"), "style": {"description_width": "initial"}}
    options = sorted(set(values))
    return ipywidgets.SelectionSlider(options=options, value=values[0], continuous_update=False, **look)
