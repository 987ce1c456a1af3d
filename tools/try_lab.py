"""Open each notebook in JupyterLab in a headless Chromium, run it, and look at what is there.

    python tools/try_lab.py            all notebooks, at tiny sizes
    python tools/try_lab.py 02 12      some, by number
    python tools/try_lab.py 02 --picture   also keep results/reference/jupyterlab.png, of the last one

It needs Chromium and ``pip install playwright``. A notebook passes if every cell ran, no output is an error,
every figure is drawn, and moving a control changes its figure.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, sync_playwright
from refresh_notebooks import shrink

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "notebooks"))

from test_execution import tiny_parameters  # noqa: E402

PICTURE = ROOT / "results" / "reference" / "jupyterlab.png"
RUN = """async () => {
  const app = window.jupyterapp, panel = app.shell.currentWidget;
  await panel.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
  const cells = panel.content.widgets.filter(cell => cell.model.type === 'code');
  const outputs = cells.flatMap(cell => cell.model.outputs.toJSON());
  return {
    cells: cells.length,
    ran: cells.filter(cell => cell.model.executionCount > 0).length,
    errors: outputs.filter(output => output.output_type === 'error').map(output => output.evalue),
    pictures: outputs.filter(output => output.data && output.data['image/png']).length,
    controls: outputs.filter(o => o.data && o.data['application/vnd.jupyter.widget-view+json']).length,
  };
}"""
LOOK = """async () => {
  const panel = window.jupyterapp.shell.currentWidget, seen = new Set();
  for (let index = 0; index < panel.content.widgets.length; index++) {
    await panel.content.scrollToItem(index, 'start');
    await new Promise(done => setTimeout(done, 80));
    for (const picture of panel.node.querySelectorAll('.jp-OutputArea-output img'))
      if (picture.complete && picture.naturalWidth > 50 && picture.offsetWidth > 50) seen.add(picture.src);
  }
  return seen.size;
}"""


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[str]:
    """A JupyterLab that serves ``folder``; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += ["--LabApp.expose_app_in_browser=True", "--allow-root", f"--notebook-dir={folder}"]
    news = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")},  # not the reader's own
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/lab", timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Show a notebook alone, its kernel started."""
    page.goto(f"{address}/doc/tree/{name}?reset", wait_until="domcontentloaded", timeout=180_000)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.content?.widgets?.length", timeout=180_000
    )


def move_controls(page: Page) -> bool:
    """Move each control of the first figure that has some; whether the figure follows all of them."""
    figure = page.locator(".widget-interact img").first
    figure.scroll_into_view_if_needed()
    for control in page.locator(".widget-interact").first.locator("select, .noUi-handle").all():
        before = figure.get_attribute("src")
        if control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(index=1)
        else:
            control.focus()
            page.keyboard.press("End")  # a single step may end at the same frame
        for _ in range(120):
            page.wait_for_timeout(500)
            if figure.count() and figure.get_attribute("src") != before:
                break
        else:
            return False
    return True


def try_notebook(page: Page, address: str, name: str) -> bool:
    """Run one notebook and print one line about it; whether all is as it should be."""
    start = time.monotonic()
    open_notebook(page, address, name)
    told: dict[str, Any] = page.evaluate(RUN)
    seen = page.evaluate(LOOK)
    moved = move_controls(page) if told["controls"] else None
    good = (
        told["ran"] == told["cells"]
        and not told["errors"]
        and seen >= told["pictures"]
        and moved is not False
    )
    print(
        f"{name}: {told['ran']} of {told['cells']} cells ran, {len(told['errors'])} errors, "
        f"{seen} figures seen of {told['pictures']} and {told['controls']} with controls"
        f"{'' if moved is None else ', which ' + ('follow' if moved else 'do NOT follow')}, "
        f"{time.monotonic() - start:.0f} s{'' if good else ': FAILED ' + '; '.join(told['errors'])}",
        flush=True,
    )
    return good


def prepare(folder: Path, numbers: tuple[str, ...], data: Path) -> list[str]:
    """Copies of the notebooks without outputs, at tiny sizes; their names."""
    names = []
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        if not path.name.startswith(numbers or ""):
            continue
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in cells:
            cell.update(outputs=[], execution_count=None)
        tiny = tiny_parameters(path, data_root=str(data), out=str(folder / path.stem))
        cells[0].source += "".join(f"\n{name} = {value!r}" for name, value in tiny.items())
        nbformat.write(notebook, folder / path.name)
        names.append(path.name)
    return names


def main(arguments: list[str]) -> int:
    """Try the notebooks whose names start with one of the arguments; all without any."""
    from dianet_utils import synthetic

    numbers = tuple(argument for argument in arguments if not argument.startswith("-"))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        size = synthetic.Settings(subjects=5, clips_per_emotion=2, size=64, duration=(16, 24))
        names = prepare(folder, numbers, synthetic.generate(size, folder / "data", shown=False))
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        with jupyter_lab(folder) as address:
            passed = []
            for name in names:
                page = browser.new_page(viewport={"width": 1000, "height": 900})
                passed.append(try_notebook(page, address, name))
                if "--picture" in arguments:
                    PICTURE.write_bytes(shrink(page.screenshot()))
                page.close()
        browser.close()
    print(f"{sum(passed)} of {len(passed)} passed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
