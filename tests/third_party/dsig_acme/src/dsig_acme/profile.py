"""The profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding

__all__ = ["PatientSigned"]

_PATIENT_ID = 0x00100020


class PatientSigned:
    """Patient ID has to be there and signed."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """What is added to any selection."""
        return [_PATIENT_ID]

    def check(self, view: DataSetView, signature: SignatureView) -> Iterator[Finding]:
        """What is wrong with a signature."""
        if not view.value(_PATIENT_ID):
            yield Finding("acme-no-patient", "there is no Patient ID", view.location, "Acme policy 1")
        elif _PATIENT_ID not in signature.elements:
            yield Finding("acme-patient-unsigned", "Patient ID is not signed", view.location, "Acme policy 1")
