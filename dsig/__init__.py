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

TYPE_CHECKING = False  # type checkers know it by its name; importing typing takes longer than all else here

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary, PrivateTag, load_dictionaries
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
    from dsig.hookspecs import Revocation
    from dsig.judgement.policy import Policy, load_policy
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
    from dsig.timestamps.evidence import Evidence, read_evidence
    from dsig.timestamps.proof import TimestampPolicy
    from dsig.timestamps.stamping import QueryOptions, TsaOptions
    from dsig.trust.material import TrustMaterial, load_trust
    from dsig.verbs.evidence import EvidenceReport, collect_evidence, renew_evidence, verify_evidence
    from dsig.verbs.explain import Difference, ExplainedSignature, Explanation, explain
    from dsig.verbs.inspect import InspectedSignature, Inspection, inspect
    from dsig.verbs.remove import Removed, remove
    from dsig.verbs.sign import Signed, SignOptions, sign
    from dsig.verbs.timestamp import (
        Timestamped,
        attach_timestamp,
        read_uid_file,
        timestamp,
        timestamp_query,
        uid_file,
    )
    from dsig.verbs.verify import VerifyOptions, verify

_HOMES = {
    "dicom.dictionaries": "Dictionary PrivateTag load_dictionaries",
    "errors": (
        "DsigError InputError KeySourceError LimitError MalformedError OutputError PluginError UsageError Where"
    ),
    "verbs.explain": "Difference ExplainedSignature Explanation explain",
    "verbs.inspect": "InspectedSignature Inspection inspect",
    "timestamps.evidence": "Evidence read_evidence",
    "verbs.evidence": "EvidenceReport collect_evidence renew_evidence verify_evidence",
    "keys": "OpenKey open_key",
    "limits": "Limits",
    "model": "Axis Coverage FileReport FileVerdict Finding Report SignatureReport Status",
    "judgement.policy": "Policy load_policy",
    "timestamps.proof": "TimestampPolicy",
    "verbs.remove": "Removed remove",
    "verbs.sign": "SignOptions Signed sign",
    "timestamps.stamping": "QueryOptions TsaOptions",
    "verbs.timestamp": "Timestamped attach_timestamp timestamp read_uid_file timestamp_query uid_file",
    "hookspecs": "Revocation",
    "trust.material": "TrustMaterial load_trust",
    "verbs.verify": "VerifyOptions verify",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Axis",
    "Coverage",
    "Dictionary",
    "Difference",
    "DsigError",
    "Evidence",
    "EvidenceReport",
    "ExplainedSignature",
    "Explanation",
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
    "Policy",
    "PrivateTag",
    "QueryOptions",
    "Removed",
    "Report",
    "Revocation",
    "SignOptions",
    "SignatureReport",
    "Signed",
    "Status",
    "TimestampPolicy",
    "Timestamped",
    "TrustMaterial",
    "TsaOptions",
    "UsageError",
    "VerifyOptions",
    "Where",
    "attach_timestamp",
    "collect_evidence",
    "explain",
    "inspect",
    "load_dictionaries",
    "load_policy",
    "load_trust",
    "open_key",
    "read_evidence",
    "read_uid_file",
    "remove",
    "renew_evidence",
    "sign",
    "timestamp",
    "timestamp_query",
    "uid_file",
    "verify",
    "verify_evidence",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room (PEP 562)."""
    if name in _HOME:
        import importlib

        value = getattr(importlib.import_module(f"dsig.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name == "__version__":
        from importlib.metadata import version

        return version("dsig")
    raise AttributeError(f"module 'dsig' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return [*__all__, "__version__"]
