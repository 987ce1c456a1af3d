"""How Sphinx makes the site: `make site`, or `sphinx-build -c docs . build/site`.

The sources are the repository itself: README.md is the first page, and the notebooks, results and pages in
docs/ stay where they lie, so that a relative link leads to the same place here, in a checkout and on the web.
Nothing is executed and nothing is imported: notebooks show their stored outputs, and the reference is read
from the package's text.
"""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dianet_utils import __version__  # noqa: E402 (loads none of the package's rooms)

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "DIANet in notebooks"
author = "The DIANet notebooks authors"
copyright = "the DIANet notebooks authors"
version = release = __version__

extensions = ["myst_nb", "autoapi.extension", "sphinx.ext.napoleon"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/api/**",
    "notebooks/[0-9]*.ipynb",
    "notebooks/solutions/*.ipynb",
    "results/reference/README.md",
    "results/reference/stress/README.md",
]
exclude_patterns = [".*", "build", "data"]  # not even searched: environments, images
# The order of the pages. It is added to README for the site alone, where it makes the sidebar.
CONTENTS = """
```{toctree}
:hidden:
:caption: The collection

docs/setup
docs/tutorial
docs/running
docs/methods
docs/datasets
docs/glossary
```

```{toctree}
:hidden:
:caption: Notebooks
:glob:

notebooks/*
notebooks/solutions/*
```

```{toctree}
:hidden:
:caption: Results and reference

results/reference/README
docs/leaderboard
docs/casme2
docs/samm
docs/mmew
results/reference/stress/README
The package <docs/api/dianet_utils/index>
```

```{toctree}
:hidden:
:caption: Project

CONTRIBUTING
CHANGELOG
```
"""

nitpicky = True
# Types of other libraries: resolving them would fetch their inventories from the network.
nitpick_ignore_regex = [("py:class", r"(?!dianet_utils\.).*")]

nb_execution_mode = "off"
# Without a kernel a widget is an empty box: show what stands beside it.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3

autoapi_dirs = [str(ROOT / "dianet_utils")]
autoapi_root = "docs/api"
autoapi_add_toctree_entry = False
autoapi_options = ["members", "undoc-members", "show-module-summary"]
autoapi_member_order = "bysource"
# Colours are named by unpacking a tuple, which the reader of the source does not follow.
suppress_warnings = ["autoapi.python_import_resolution"]

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
math_eqref_format = "Eq. {number}"


def add_contents(app: "Sphinx", docname: str, source: list[str]) -> None:
    """Append the order of the pages to the first one."""
    if docname == app.config.root_doc:
        source[0] += CONTENTS


def follow_reexport(
    app: "Sphinx", env: "BuildEnvironment", node: "Element", content: "Element"
) -> "Element | None":
    """Link ``package.Name``, or a bare ``Name``, to the one module of the package that defines the name."""
    python = env.domains["py"]
    package, _, name = node["reftarget"].rpartition(".")
    package = package or "dianet_utils"
    inside = [full for full in python.objects if full.startswith(f"{package}.") and full.endswith(f".{name}")]
    if node.get("refdomain") != "py" or len(inside) != 1:
        return None
    return python.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], inside[0], node, content)


def name_index(app: "Sphinx", error: Exception | None) -> None:
    """Give the first page the name under which a web server looks for it, too."""
    if not error:
        shutil.copy(app.outdir / "README.html", app.outdir / "index.html")


def setup(app: "Sphinx") -> None:
    """Called by Sphinx once it has read this file."""
    app.connect("source-read", add_contents)
    app.connect("missing-reference", follow_reexport)
    app.connect("build-finished", name_index)
