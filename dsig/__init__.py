"""Sign and verify DICOM files (PS3.3 C.12.1.1.3, PS3.15 annex C).

    >>> import dsig
    >>> with dsig.open_key("file:key.pem") as key:
    ...     dsig.sign("ct.dcm", "signed.dcm", key=key)
    >>> report = dsig.verify("signed.dcm", dsig.VerifyOptions(trust=dsig.load_trust(["root.pem"])))
    >>> report.verdict
    <FileVerdict.PASSED: 'passed'>

Names are loaded on first use, so that `import dsig` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsig.errors import (
        DsigError,
        InputError,
        KeySourceError,
        LimitError,
        MalformedError,
        OutputError,
        PluginError,
        UsageError,
        Where,
    )
    from dsig.inspect import InspectedSignature, Inspection, inspect
    from dsig.keys import OpenKey, open_key
    from dsig.limits import Limits
    from dsig.model import (
        Axis,
        Coverage,
        FileReport,
        FileVerdict,
        Finding,
        Report,
        SignatureReport,
        Status,
    )
    from dsig.remove import Removed, remove
    from dsig.sign import Signed, SignOptions, sign
    from dsig.trust import TrustMaterial, load_trust
    from dsig.verify import VerifyOptions, verify

_HOMES = {
    "errors": (
        "DsigError InputError KeySourceError LimitError MalformedError OutputError PluginError UsageError Where"
    ),
    "inspect": "InspectedSignature Inspection inspect",
    "keys": "OpenKey open_key",
    "limits": "Limits",
    "model": "Axis Coverage FileReport FileVerdict Finding Report SignatureReport Status",
    "remove": "Removed remove",
    "sign": "SignOptions Signed sign",
    "trust": "TrustMaterial load_trust",
    "verify": "VerifyOptions verify",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Axis",
    "Coverage",
    "DsigError",
    "FileReport",
    "FileVerdict",
    "Finding",
    "InputError",
    "InspectedSignature",
    "Inspection",
    "KeySourceError",
    "LimitError",
    "Limits",
    "MalformedError",
    "OpenKey",
    "OutputError",
    "PluginError",
    "Removed",
    "Report",
    "SignOptions",
    "SignatureReport",
    "Signed",
    "Status",
    "TrustMaterial",
    "UsageError",
    "VerifyOptions",
    "Where",
    "inspect",
    "load_trust",
    "open_key",
    "remove",
    "sign",
    "verify",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room (PEP 562)."""
    if name in _HOME:
        home = _HOME[name]
        module = importlib.import_module(f"dsig.{home}")
        # All its names at once: a verb and its module share a name, and importing the module has just taken it.
        globals().update({public: getattr(module, public) for public in _HOMES[home].split()})
        return getattr(module, name)
    raise AttributeError(f"module 'dsig' has no attribute {name!r}")
