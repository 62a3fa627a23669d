"""Reports in notebooks: the HTML report in a frame of its own, where neither can touch the other."""

from __future__ import annotations

import io
from html import escape

from dsig.errors import PluginError, UsageError
from dsig.model import Report
from dsig.plugins import default

__all__ = ["shown"]


def shown(report: Report) -> str | None:
    """A frame without origin, rights or network; None, so that the plain form is shown, if no plugin makes HTML."""
    try:
        reporter = default().reporters.get("html")
    except (PluginError, UsageError):
        return None
    document = io.StringIO()
    reporter.render(report, document)
    return (
        f'<iframe title="Verification of DICOM signatures" sandbox="allow-scripts" width="100%" height="640"'
        f' srcdoc="{escape(document.getvalue(), quote=True)}"></iframe>'
    )
