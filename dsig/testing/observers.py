"""What an observer must do."""

from __future__ import annotations

from threading import Thread
from typing import ClassVar

import pytest

from dsig.hookspecs import Observer, SigningFacts
from dsig.model import MacFacts, SignerFacts
from dsig.observing import SECONDS
from dsig.testing.installed import installed
from dsig.testing.reporters import HOSTILE, sample_report

__all__ = ["ObserverContract"]


class ObserverContract:
    """Subclass it with the name of the observer; what it makes of the facts is for its own tests."""

    name: ClassVar[str]
    patience: ClassVar[float] = SECONDS
    """Seconds it may take over a dozen files."""

    @property
    def observer(self) -> Observer:
        """The provider."""
        return installed().observers.get(self.name)

    def everything(self, value: str) -> None:
        """Tell it of each verdict and of a signature; `value` stands wherever files have a say."""
        observer = self.observer
        for report in sample_report(value).files:
            observer.verified(report)
        signer = SignerFacts(f"CN={value}", f"CN={value}", "1f", "ab" * 32, "RSA 2048")
        mac = MacFacts(0, value, "1.2.840.10008.1.2.1", "cd" * 32, "stored", (0x00080018,), "host")
        observer.signed(SigningFacts(value, value, "1.2.3", "/", mac, signer, "20260102030405"))

    def test_it_hears_everything(self) -> None:
        """Each verdict, and a signature; raising would be a warning to the user."""
        self.everything("CT1")

    def test_hostile_values_do_not_matter(self) -> None:
        """Whatever a file says about itself."""
        self.everything(HOSTILE)

    def test_it_does_not_hang(self) -> None:
        """It is stopped else."""
        thread = Thread(target=self.everything, args=("CT1",), daemon=True)
        thread.start()
        thread.join(self.patience)
        assert not thread.is_alive(), f"it has not heard a dozen files in {self.patience:g} seconds"

    def test_it_is_silent(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Nobody would see it."""
        capfd.readouterr()
        self.everything("CT1")
        assert capfd.readouterr() == ("", "")
