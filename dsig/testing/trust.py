"""What a trust backend must do."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pytest

from dsig.hookspecs import TrustBackend, TrustEvidence, TrustRequest
from dsig.model import Status
from dsig.testing.installed import installed
from dsig.testing.pki import Certified, Pki, shared

__all__ = ["TrustBackendContract"]


class TrustBackendContract:
    """Subclass it with the name of the backend."""

    name: ClassVar[str]

    @pytest.fixture
    def pki(self) -> Pki:
        """Root, issuing CA, signers."""
        return shared()

    @property
    def backend(self) -> TrustBackend:
        """The provider."""
        return installed().trust_backends.get(self.name)

    def asked(
        self, pki: Pki, certificate: bytes, *, anchors: tuple[Certified, ...], at: datetime | None = None
    ) -> TrustEvidence:
        """Ask about a certificate, with the issuing CA at hand."""
        return self.backend.evaluate(
            TrustRequest(
                certificate=certificate,
                at=at or pki.now,
                anchors=tuple(anchor.certificate for anchor in anchors),
                intermediates=(pki.issuing.certificate,),
            )
        )

    def test_a_path_to_an_anchor_passes(self, pki: Pki) -> None:
        """And is given back, signer first, anchor last."""
        for key, signer in pki.signers.items():
            evidence = self.asked(pki, signer.certificate, anchors=(pki.root,))
            assert evidence.status is Status.PASSED, (key, evidence.findings)
            assert evidence.path == (signer.certificate, pki.issuing.certificate, pki.root.certificate)

    def test_without_a_path_nothing_passes(self, pki: Pki) -> None:
        """No anchor, another anchor, another of the same name, no intermediate."""
        signer = pki.signers["p256"].certificate
        impostor = pki.certify("root", ca=True)
        for anchors in ((), (pki.certify("other", ca=True),), (impostor,)):
            assert self.asked(pki, signer, anchors=anchors).status is not Status.PASSED
        request = TrustRequest(certificate=signer, at=pki.now, anchors=(pki.root.certificate,))
        assert self.backend.evaluate(request).status is not Status.PASSED

    def test_what_does_not_pass_is_explained(self, pki: Pki) -> None:
        """With a finding that has a code and a sentence."""
        evidence = self.asked(pki, pki.signers["p256"].certificate, anchors=(pki.certify("other", ca=True),))
        assert evidence.findings
        assert all(f.code and f.message and f.message.isprintable() for f in evidence.findings)

    def test_validity_is_judged_at_the_time_asked_for(self, pki: Pki) -> None:
        """Not at the time of the machine."""
        old = pki.certify(
            "old", issuer=pki.issuing, not_before=pki.now - 20 * pki.day, not_after=pki.now - 10 * pki.day
        )
        root = pki.certify("root", key=pki.root.key, ca=True, not_before=pki.now - 30 * pki.day)
        issuing = pki.certify("issuing", issuer=root, key=pki.issuing.key, ca=True, not_before=pki.now - 30 * pki.day)
        for days, passes in ((-25, False), (-15, True), (-5, False), (0, False)):
            evidence = self.backend.evaluate(
                TrustRequest(
                    certificate=old.certificate,
                    at=pki.now + days * pki.day,
                    anchors=(root.certificate,),
                    intermediates=(issuing.certificate,),
                )
            )
            assert (evidence.status is Status.PASSED) is passes, days

    def test_a_changed_certificate_does_not_pass(self, pki: Pki) -> None:
        """Even if only its signature changed."""
        signer = pki.signers["p256"].certificate
        for at in (len(signer) - 5, len(signer) // 2):
            changed = signer[:at] + bytes([signer[at] ^ 1]) + signer[at + 1 :]
            assert self.asked(pki, changed, anchors=(pki.root,)).status is not Status.PASSED

    def test_only_a_certification_authority_certifies(self, pki: Pki) -> None:
        """A signer's certificate above another one is no path (RFC 5280 4.2.1.9)."""
        forged = pki.certify("forged", issuer=pki.signers["p256"])
        request = TrustRequest(
            certificate=forged.certificate,
            at=pki.now,
            anchors=(pki.root.certificate,),
            intermediates=(pki.issuing.certificate, pki.signers["p256"].certificate),
        )
        assert self.backend.evaluate(request).status is not Status.PASSED

    def test_garbage_does_not_pass(self, pki: Pki) -> None:
        """And ends nothing."""
        for certificate in (b"", b"text", pki.root.certificate[:-1]):
            assert self.asked(pki, certificate, anchors=(pki.root,)).status is not Status.PASSED
