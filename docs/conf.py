"""How the documentation site is built: `make docs`. Every warning is an error."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

project = "dsig"
author = "the dsig authors"
copyright = "the dsig authors"  # noqa: A001, the name is Sphinx's
release = metadata.version("dsig")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "sphinx_copybutton"]

exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings: list[str] = []
smartquotes = False  # they make one dash of --key, and other quotes, of what people copy

# Docstrings put names between single backticks.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": True}
python_use_unqualified_type_names = True
add_module_names = False

# Prompts and output are for reading, commands for copying.
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = f"dsig {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False


def list_the_rest(app: Sphinx, name: str, source: list[str]) -> None:
    """Put pages that `index.md` does not name under Reference, so that a new page is never out of reach."""
    if name == "index":
        named = set(source[0].split())
        rest = sorted(p.stem for p in Path(app.srcdir).glob("*.md") if p.stem not in named | {"index"})
        source[0] = source[0].replace("\ndecisions/README\n", "\n".join(["", *rest, "decisions/README", ""]))


def setup(app: Sphinx) -> None:
    """Sphinx's hook."""
    app.connect("source-read", list_the_rest)
