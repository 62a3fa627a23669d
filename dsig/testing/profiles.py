"""What a profile must do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import pytest

from dsig.hookspecs import DataSetView, Profile, SignatureView
from dsig.keys import open_key
from dsig.model import FileVerdict, Finding
from dsig.testing.installed import installed
from dsig.testing.pki import shared
from dsig.testing.samples import unsigned_file
from dsig.verbs.sign import SignOptions, sign
from dsig.verbs.verify import VerifyOptions, verify

__all__ = ["ProfileContract", "View"]

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


class View:
    """A `DataSetView` over values given as bytes."""

    def __init__(self, values: Mapping[int, bytes | None], location: str = "/") -> None:
        self._values = dict(sorted(values.items()))
        self.location = location
        self.tags = tuple(self._values)

    def signable(self, tag: int) -> bool:
        """All that is there."""
        return tag in self._values

    def value(self, tag: int) -> bytes | None:
        """As given."""
        return self._values.get(tag)


class ProfileContract:
    """Subclass it with the name of the profile, and a file it accepts if the sample will not do."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, object]] = {}
    """Further fields of `SignOptions` that the profile wants, such as `purpose`."""

    @pytest.fixture
    def accepted(self) -> bytes:
        """Give a file that the profile lets sign."""
        return unsigned_file()

    @property
    def profile(self) -> Profile:
        """The provider."""
        return installed().profiles.get(self.name)

    def views(self) -> list[DataSetView]:
        """Nothing, little, values no reader could make sense of, a large data set, an item."""
        little = {0x00080016: b"1.2.840.10008.5.1.4.1.1.7\0", 0x00080018: b"1.2.3\0"}
        garbage = dict.fromkeys((0x00080016, 0x00080018, 0x0040A491, 0x0040A493, 0x00100020), b"\xff\0\x80")
        absent = dict.fromkeys((0x00080016, 0x00080018, 0x0040A493), None)
        large = {0x00091000 + n: b"x " for n in range(4096)}
        return [View({}), View(little), View(garbage), View(absent), View(large), View(little, "BeamSequence[0]")]

    def test_required_elements_are_tags(self) -> None:
        """Numbers of 32 bits, the same each time, whatever the data set."""
        for view in self.views():
            required = list(self.profile.required(view))
            assert all(type(tag) is int and 0x00080000 <= tag <= 0xFFFFFFFF for tag in required)
            assert required == list(self.profile.required(view))

    def test_findings_can_be_told(self) -> None:
        """A code that programs can rely on, and a printable sentence; the same each time."""
        nothing = SignatureView(frozenset(), "", "", "")
        for view in self.views():
            everything = SignatureView(frozenset(view.tags), "SHA256", EXPLICIT_VR_LITTLE_ENDIAN, "RSA")
            for signature in (nothing, everything):
                findings = list(self.profile.check(view, signature))
                assert all(isinstance(finding, Finding) for finding in findings)
                assert all(_CODE.match(f.code) and f.message and f.message.isprintable() for f in findings)
                assert all(f.severity in ("error", "warning", "info") for f in findings)
                assert findings == list(self.profile.check(view, signature))

    def test_what_is_signed_under_it_meets_it(self, accepted: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
        """From end to end: signed with the profile, verified with the profile required."""
        directory = tmp_path_factory.mktemp("profile")
        key, certificate = shared().signers["rsa2048"].write(directory, "signer")
        with open_key(str(key), certificate=str(certificate)) as opened:
            options = SignOptions(profile=self.name, **self.options)  # type: ignore[arg-type]
            signed = sign(accepted, key=opened, options=options, plugins=installed())
        assert isinstance(signed.output, bytes)
        report = verify(
            signed.output, VerifyOptions(check_trust=False, require_profiles=(self.name,)), plugins=installed()
        )
        assert report.verdict is FileVerdict.PASSED, report.signatures[0].axes["profile"].findings
        assert report.signatures[0].profiles == (self.name,)
