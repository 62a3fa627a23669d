"""Sign: select, canonicalise, hash while copying, sign the digest, prove the signature, write it, look at it again."""

from __future__ import annotations

import contextlib
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from dsig.arguments import as_annotated, checked
from dsig.dicom.dataset import DataSet, find_item, read_data_set
from dsig.dicom.dictionary import is_shared
from dsig.dicom.encoding import is_known
from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.location import format_path, format_tag, parse_element, parse_location
from dsig.dicom.lookup import PLAIN, Lookup
from dsig.dicom.output import Deflater, replacing
from dsig.dicom.reencode import Lengths, as_wanted
from dsig.dicom.source import open_source, own_source
from dsig.dicom.splice import write_spliced
from dsig.dicom.walk import FRAGMENTS
from dsig.distrust import answered, answered_all, blaming
from dsig.errors import (
    DsigError,
    KeySourceError,
    MalformedError,
    OutputError,
    PluginError,
    UsageError,
    Where,
)
from dsig.hookspecs import CertificateFacts, CryptoBackend, MacAlgorithmSpec, SignatureCheck, SignatureView
from dsig.io import Given, as_input, as_output, name_of, refuse_same
from dsig.judgement.signer_key import key_warnings
from dsig.keys import OpenKey
from dsig.limits import DEFAULT, Limits
from dsig.model import Coverage, Finding, MacFacts, PluginUse, Purpose, SignerFacts
from dsig.plugins import HOST, Plugins, default
from dsig.signature.build import NewSignature, checked_elements, datetime_now, free_mac_id, new_uid
from dsig.signature.coverage import coverage_of
from dsig.signature.fragments import REFERENCED, fragment_findings
from dsig.signature.insertion import signature_changes
from dsig.signature.items import read_mac_items, read_signature_items
from dsig.signature.mac import MacCursor, mac_pieces, pump
from dsig.signature.padding import Edits, Repad, repads
from dsig.signature.purpose import purpose
from dsig.signature.reading import OLD_FORMAT, STORED
from dsig.signature.selection import refuse_unsignable_place, select
from dsig.signature.signatures import find_signatures
from dsig.signature.structure import refuse_disorder
from dsig.signature.timestamp import signature_value, stored_timestamp
from dsig.signature.view import LevelView

if TYPE_CHECKING:  # most signatures are made without a TSA and dictionaries
    from dsig.dicom.dictionaries import Dictionary, PrivateTag
    from dsig.timestamps.stamping import Stamp, TsaOptions

__all__ = ["SignOptions", "Signed", "sign"]

PIXEL_DATA = 0x7FE00010
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
HINTS = {
    "profile-purpose": "give --purpose N or purpose=N: 1 is Author's Signature, 5 Verification Signature,"
    " dsig sign --list-purposes shows all"
}
"""What to do about findings of profiles that refuse a signature, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOptions:
    """How to sign."""

    mac: str = "SHA256"
    allow_weak: bool = False
    """Sign with MAC algorithms that no longer resist forgery."""
    profile: str = "none"
    waived: frozenset[str] = frozenset()
    """Codes of findings of the profile that are told and not refused."""
    tags: tuple[int | str | PrivateTag, ...] | None = None
    """Elements of the level to sign, as numbers or in words as on the command line: `PatientName`, `0010,0010`,
    `(0009,"CREATOR",01)`; None is everything that can be signed.
    """
    item: str = "/"
    """The sequence item to sign, such as `BeamSequence[0]`; `/` is the main data set."""
    purpose: int | None = None
    """Code value of PS3.16 CID 7007; None is that of the profile, if it has one."""
    preserve_bytes: bool = False
    """Leave padding that is not canonical as it is."""
    old_format: bool = False
    """Make fragment lengths part of the MAC (decision 0006)."""
    dump: str | os.PathLike[str] | None = None
    """Path for the bytes that are hashed."""
    transfer_syntax: str | None = None
    """Write the data set in this one (UID, `explicit`, `implicit`, `big`, `deflated`); None keeps the file's bytes."""
    lengths: str | None = None
    """`explicit` or `undefined` lengths of all sequences and items; None keeps the file's bytes."""
    file_format: bool = False
    """Write preamble and File Meta Information also where the input is a data set without them (PS3.10 7.1)."""
    convert_un: bool = False
    """Write elements of VR UN with the VR the dictionary gives them, so that they can be signed (PS3.5 6.2.2)."""
    dictionary: Dictionary | None = None
    """Read by `load_dictionaries`; tells VRs for `convert_un` and for implicit VR that is written as explicit."""
    rely_on_dictionaries: bool = False
    """Sign implicit VR as dcmsign does: with the VRs that the dictionaries of DCMTK, or `dictionary`, give to private
    elements, and with values too long for their VR in explicit form. Such a signature verifies only where dictionaries
    agree (decision 0004).
    """
    timestamp: TsaOptions | None = None
    """TSAs to have the signature stamped by; nothing is written if none does."""
    uid: str | None = None
    """Digital Signature UID (0400,0100) of the new signature; None makes one. Refused if the file has one so called."""
    in_place: bool = False
    input_kind: str = "auto"
    mac_backend: str = HOST
    """Where the MAC is computed: `host`, or the name of a MAC backend, `:` and a place being allowed behind it."""
    crypto_backend: str = "cryptography"
    limits: Limits = DEFAULT

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed and written."""

    path: str
    output: Any = field(repr=False)
    """Path as given, or bytes, file object or data set like the input."""
    uid: str
    location: str
    mac: MacFacts
    signer: SignerFacts
    date_time: str
    coverage: Coverage
    timestamp: Stamp | None
    """What a TSA made of the signature."""
    findings: tuple[Finding, ...]
    """What the user should know: canonicalised values, elements left out, certificates out of their validity."""
    plugins: tuple[PluginUse, ...]


@checked
def sign(
    given: Given,
    output: object = None,
    *,
    key: OpenKey,
    options: SignOptions | None = None,
    plugins: Plugins | None = None,
) -> Signed:
    """Add a signature to a path, bytes, binary file object or pydicom data set.

    `output` is a path, a binary file object, or None to get back the kind that came in. Nothing but the two signature
    sequences, the lengths around them and non-canonical padding of signed text changes. Raises `UsageError`,
    `InputError`, `KeySourceError`, `PluginError` or `OutputError`; the output then is as it was before.
    """
    options = options or SignOptions()
    plugins = plugins or default()
    if not hasattr(key, "certificate"):
        raise UsageError("the key is not open", hint="write: with dsig.open_key(...) as key")
    name = name_of(given)
    if options.dump is not None:
        refuse_same(options.dump, "the dump", (given, output))
    try:
        with (
            as_input(given) as plain,
            open_source(plain, options.limits, name) as source,
            open_dicom(source, kind=options.input_kind, limits=options.limits, lookup=_lookup(options)) as opened,
            _as_wanted(opened, options, lambda file: _Signing(file, key, options, plugins)) as file,
        ):
            signing = _Signing(file, key, options, plugins)
            with as_output(given, output, in_place=options.in_place) as destination, signing.dumping():
                signing.write(destination.file)
                signing.look_again(destination.file)
            return signing.result(name, destination.result)  # it shows values of the file
    except DsigError as error:
        raise error.located(name) from None


class _Signing:
    """One signature in the making. The constructor refuses whatever can be refused before any work."""

    def __init__(self, file: DicomFile, key: OpenKey, options: SignOptions, plugins: Plugins) -> None:
        self.file = file
        self.key = key
        self.options = options
        self.plugins = plugins
        self.findings: list[Finding] = []

        # 1. Algorithm, backend and certificate.
        self.spec = _mac_spec(plugins, options)
        self.backend: CryptoBackend = plugins.crypto_backends.get(options.crypto_backend)
        self.backend_origin = plugins.crypto_backends.provider(options.crypto_backend).origin
        self.facts = self.certificate()

        # 2. The level to sign, read so that every later reader finds the same.
        encoding = file.encoding.as_shared() if options.rely_on_dictionaries else file.encoding.portably()
        self.main = read_data_set(file.data, file.start, file.end, encoding, limits=options.limits)
        self.level = self.target()
        refuse_disorder(self.main)
        for problem in file.meta_problems:
            raise MalformedError(
                f"{format_tag(problem.tag)} of the File Meta Information {problem.message};"
                " readers would disagree about where the data set begins",
                code=problem.code,
                where=Where(file.source.name, format_tag(problem.tag)),
                hint="repair the file first, for instance by loading and saving it with pydicom",
            )

        if file.meta and not is_known(file.syntax.uid):
            raise MalformedError(
                f"the Transfer Syntax UID {file.syntax.uid} is not one of the standard's; readers would disagree about"
                " what the data set says",
                code="transfer-syntax-unknown",
                where=Where(file.source.name, "(0002,0010)"),
                hint="correct it, or strip the File Meta Information and name the encoding with --input",
            )

        # 3. What to sign, with what the profile wants.
        self.profile_origin = plugins.profiles.provider(options.profile).origin
        with blaming(self.profile_origin, "naming required elements"):
            required = list(plugins.profiles.get(options.profile).required(LevelView(self.level)))
        wanted = answered_all(required, int, self.profile_origin, "naming required elements")
        self.selected = select(self.level, _numbers(options), self.signable(wanted))

        for ambiguity in fragment_findings(self.level, self.selected):
            raise MalformedError(
                ambiguity.message, code=ambiguity.code, where=Where(file.source.name, ambiguity.location)
            )

        # 4. The two items, but for the signature itself.
        self.new = NewSignature(
            mac_id=self.mac_id(),
            transfer_syntax=self.mac_transfer_syntax(),
            algorithm=self.spec.name,
            elements=checked_elements(e.tag for e in self.selected),
            uid=self.uid(),
            date_time=datetime_now(),
            certificate=key.certificate,
            purpose=self.purpose(),
        )
        self.profile()

        # 5. Padding that other readers would change is made canonical before it is signed.
        self.repads = self.repadding()

        # 6. The MAC, fed while the file is copied.
        self.running = plugins.new_mac(options.mac, options.mac_backend)
        self.dump: IO[bytes] | None = None
        self.cursor: MacCursor | None = None
        self.digest = b""
        self.signature = b""
        self.stamp: Stamp | None = None

    # -------------------------------------------------------------------------------------------- before any work

    def certificate(self) -> CertificateFacts:
        """Facts of the signer's certificate; one that is not valid now is used, but not without a word."""
        try:
            with blaming(self.backend_origin, "reading the certificate", allow=(ValueError,)):
                read = self.backend.certificate(self.key.certificate)
        except ValueError as error:
            raise KeySourceError(f"the signer's certificate cannot be used: {error}", code="certificate") from None
        facts = answered(read, CertificateFacts, self.backend_origin, "reading the certificate")
        now = datetime.now(UTC)
        if facts.not_before and now <= facts.not_before:
            self.warn(
                "certificate-not-yet-valid",
                f"the certificate is valid only from {facts.not_before:%Y-%m-%d %H:%M:%S} UTC",
            )
        if facts.not_after and now > facts.not_after:
            self.warn("certificate-expired", f"the certificate expired on {facts.not_after:%Y-%m-%d %H:%M:%S} UTC")
        self.findings += key_warnings(facts)
        return facts

    def target(self) -> DataSet:
        """The level that is signed. Raises `UsageError` if there is no such item."""
        if not self.options.item.strip():
            raise UsageError(
                "the location of the item is empty",
                code="bad-location",
                hint="/ is the main data set, as is no location",
            )
        path = parse_location(self.options.item, self.options.dictionary)
        if not path:
            return self.main
        refuse_unsignable_place(path, self.file.source.name)
        file, limits = self.file, self.options.limits
        item = find_item(file.data, file.start, file.end, self.main.encoding, path, limits)
        return read_data_set(file.data, item.start, item.end, item.encoding, path=path, limits=limits)

    def mac_id(self) -> int:
        """A MAC ID Number nobody uses in this instance."""
        limits = self.options.limits
        taken: set[int | None] = set()
        refs = self.main.signed_items
        levels = [self.main, self.level] + [
            read_data_set(self.file.data, r.start, r.end, r.encoding, path=r.path, limits=limits) for r in refs
        ]
        for level in levels:
            taken.update(m.mac_id for m in read_mac_items(level, limits))
            for signature in read_signature_items(level, limits):
                if self.options.uid is not None and signature.uid == self.options.uid:
                    raise UsageError(
                        f"there is a signature {signature.uid} already", code="uid-taken", hint="UIDs are unique"
                    )
                taken.add(signature.mac_id)
        return free_mac_id(taken)

    def uid(self) -> str:
        """(0400,0100). Raises `UsageError` for one that is none (PS3.5 9.1)."""
        given = self.options.uid
        if given is None:
            return new_uid()
        if len(given) > 64 or not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+", given, re.ASCII):
            raise UsageError(f"{given!r} is no UID", code="bad-uid", hint="leave it out to have one made")
        return given

    def purpose(self) -> Purpose | None:
        """(0400,0401): as asked, or the one that the profile is for."""
        code = self.options.purpose
        if code is None:
            code = self.plugins.profiles.spec(self.options.profile).purpose
        return None if code is None else purpose(code)

    def mac_transfer_syntax(self) -> str:
        """(0400,0010): explicit VR little endian, or the file's own syntax if it holds encapsulated pixel data."""
        syntax = self.file.syntax
        for element in self.selected:
            fits = (element.kind == FRAGMENTS) == syntax.encapsulated and syntax.uid not in REFERENCED
            if element.tag == PIXEL_DATA and not fits and not self.level.path:  # a native icon may be anywhere
                raise MalformedError(
                    f"the pixel data do not fit the transfer syntax {syntax.uid}: no verifier could rebuild the MAC",
                    code="transfer-syntax-mismatch",
                    where=Where(self.file.source.name, format_path(self.level.path, element.tag), element.start),
                    hint="correct (0002,0010)"
                    if self.file.meta
                    else "give it File Meta Information that names its transfer syntax",
                )
        if syntax.encapsulated or any(e.kind == FRAGMENTS for e in self.level.elements):
            return syntax.uid
        return EXPLICIT_VR_LITTLE_ENDIAN

    def signable(self, required: Iterable[int]) -> list[int]:
        """What the profile requires, but for what the programs that have to verify it cannot know: that is told."""
        wanted = list(required)
        if not self.options.rely_on_dictionaries:
            return wanted
        here = self.level.by_tag
        unknown = [tag for tag in wanted if tag in here and not here[tag].signable and not is_shared(tag)]
        for tag in unknown:
            self.warn(
                "newer-element",
                f"{format_tag(tag)}, which the profile wants, is left out: dcmsign does not know its VR",
            )
        return [tag for tag in wanted if tag not in unknown]

    def profile(self) -> None:
        """Raise `UsageError` if the profile forbids this signature."""
        options, new = self.options, self.new
        view = SignatureView(
            frozenset(new.elements),
            new.algorithm,
            new.transfer_syntax,
            self.facts.key_type,
            new.purpose.code if new.purpose else "",
        )
        with blaming(self.profile_origin, "checking the profile"):
            said = list(self.plugins.profiles.get(options.profile).check(LevelView(self.level), view))
        for finding in answered_all(said, Finding, self.profile_origin, "checking the profile"):
            if finding.severity == "error" and finding.code in options.waived:
                self.warn(finding.code, f"profile {options.profile}: {finding.message}")
            elif finding.severity == "error":
                raise UsageError(
                    f"profile {options.profile} does not allow this: {finding.message}",
                    code=finding.code,
                    where=Where(self.file.source.name, finding.location or None),
                    hint=HINTS.get(finding.code),
                )
            else:
                self.findings.append(finding)

    def repadding(self) -> list[Repad]:
        """Signed values whose padding will be made canonical, none of them covered by a signature that exists."""
        limits = self.options.limits
        found = list(repads(self.level, self.selected, limits))
        if not found:
            return []
        covered = {e.start: e.end for f in find_signatures(self.file, self.main, limits) for e in f.selected}
        starts = sorted(covered)
        free: list[Repad] = []
        kept: list[Repad] = []
        for repad in found:
            before = bisect_right(starts, repad.start) - 1
            inside = before >= 0 and repad.start < covered[starts[before]]
            (kept if inside or self.options.preserve_bytes else free).append(repad)
        if kept:
            self.warn(
                "padding-kept",
                f"padding that is not canonical was kept in {_values(kept)};"
                " readers that trim padding may not verify this signature",
            )
        if not free:
            return []
        names = sorted({format_tag(r.tag) for r in free})
        self.findings.append(
            Finding(
                "padding-canonicalised",
                f"padding made canonical in {_values(free)}: {', '.join(names[:8])}"
                + (f" and {len(names) - 8} more" if len(names) > 8 else ""),
                clause="PS3.5 6.2",
                severity="info",
            )
        )
        return free

    def warn(self, code: str, message: str) -> None:
        """Something the user should know."""
        self.findings.append(Finding(code, message, severity="warning"))

    # ----------------------------------------------------------------------------------------------------- the work

    def pieces(self) -> Iterator[bytes | tuple[int, int, int]]:
        """The MAC stream: the selected elements as they will be written, then the new item's part."""
        reading = OLD_FORMAT if self.options.old_format else STORED
        data = mac_pieces(
            self.level, self.selected, reading=reading, edits=Edits.of(self.repads), limits=self.options.limits
        )
        return chain(data, [self.new.mac_bytes()])

    def hashed(self, data: bytes | memoryview) -> None:
        """Take part of the MAC stream."""
        self.running.update(data)
        if self.dump is not None:
            self.dump.write(data)

    @contextlib.contextmanager
    def dumping(self) -> Iterator[None]:
        """Write the MAC stream to the dump file, if one is wanted."""
        if self.options.dump is None:
            yield
            return
        with replacing(self.options.dump) as self.dump:
            yield

    def write(self, out: IO[bytes]) -> None:
        """Copy the file with the two items inserted, hashing on the way."""
        file = self.file
        for chunk in file.header():
            out.write(chunk)
        if file.syntax.deflated:
            deflater = Deflater(out)
            self.splice(deflater.write)
            deflater.close()
            if file.trailing:
                self.warn("trailing-bytes", f"{file.trailing} bytes after the deflated data set were not copied")
        else:
            self.splice(out.write)

    def splice(self, write: Callable[[bytes | memoryview], object]) -> None:
        """Write the data set with all changes."""
        file = self.file
        self.cursor = MacCursor(self.pieces(), self.hashed)
        changes = signature_changes(
            file,
            self.main,
            self.level,
            self.new,
            self.repads,
            self.signed,
            self.options.limits,
            undefined=self.options.lengths == Lengths.UNDEFINED,
            token=self.token,
        )
        write_spliced(file.data, file.start, file.end, changes, write, self.cursor.feed)

    def signed(self) -> bytes:
        """The signature value, made and proved once the MAC is complete. Raises `KeySourceError` or `PluginError`."""
        if not self.signature:
            if self.cursor is not None:
                pump(self.file.data, [self.cursor])  # whatever lies behind the place of the signature
            self.digest = self.running.digest()
            with blaming(self.key.origin, "signing", secret=True):
                value: object = self.key.signer.sign_digest(self.digest, self.spec)
            if not isinstance(value, bytes) or not value:
                raise PluginError(f"key source {self.key.origin.name} gave no signature", code="plugin-contract")
            with blaming(self.backend_origin, "verifying the new signature"):
                said = self.backend.verify_digest(self.key.certificate, self.digest, self.spec, value)
            check = answered(said, SignatureCheck, self.backend_origin, "verifying the new signature")
            if check.valid is not True:
                raise KeySourceError(
                    f"the new signature does not verify with its certificate: {check.reason}",
                    code="signature-not-verified",
                    hint="key and certificate may not belong together; nothing was written",
                )
            self.signature = value
        return self.signature

    def token(self) -> bytes:
        """The time-stamp token of the signature, if one is wanted. Raises `OutputError` if no TSA gives one."""
        if self.options.timestamp is None:
            return b""
        if self.stamp is None:
            from dsig.timestamps.stamping import stamped

            values = (signature_value(self.signed(), self.facts),)
            self.stamp = stamped(values, self.options.timestamp, self.plugins)
            self.findings += self.stamp.findings
        return self.stamp.token

    def look_again(self, out: IO[bytes]) -> None:
        """Walk what was written and insist that the new signature is in it as intended. Raises `OutputError`."""
        out.flush()
        if not out.seekable() or not out.readable():
            return  # a device or pipe
        out.seek(0)
        source = own_source(out, self.file.source.name)
        lookup = self.file.lookup if self.options.rely_on_dictionaries else PLAIN
        with open_dicom(source, kind=self.input_kind(), limits=self.options.limits, lookup=lookup) as file:
            main = file.main(self.options.limits)
            found = [f for f in find_signatures(file, main, self.options.limits) if f.item.uid == self.new.uid]
        intact = (
            len(found) == 1
            and found[0].level.path == self.level.path
            and found[0].mac is not None
            and found[0].mac.elements == tuple(self.new.elements)
            and found[0].signed == set(self.new.elements)
            and not any(f.severity == "error" for f in found[0].structure)
            and stored_timestamp(found[0].item).token == (self.stamp.token if self.stamp else None)
        )
        if not intact:
            raise OutputError(
                "the file that was written does not hold the signature as intended",
                code="output-check",
                hint="this is a fault of dsig; please report it",
            )

    def input_kind(self) -> str:
        """How to open what was written: a bare data set that was re-encoded is no longer what it was."""
        if self.options.file_format:
            return "auto"
        if self.file.meta or self.options.transfer_syntax is None:
            return self.options.input_kind
        return {(True, False): "dataset-le", (True, True): "dataset-be", (False, False): "dataset-implicit"}[
            self.file.encoding.explicit, self.file.encoding.big
        ]

    def result(self, name: str, output: object) -> Signed:
        """What happened."""
        facts, new = self.facts, self.new
        coverage = coverage_of(self.level, new.elements)
        origins = {
            self.key.origin,
            self.plugins.mac_origin(self.options.mac, self.options.mac_backend),
            self.backend_origin,
            self.profile_origin,
        }
        return Signed(
            name,
            output,
            new.uid,
            self.level.location,
            MacFacts(
                new.mac_id,
                new.algorithm,
                new.transfer_syntax,
                self.digest.hex(),
                "stored",
                tuple(new.elements),
                self.options.mac_backend.partition(":")[0],
            ),
            facts.signer(),
            new.date_time,
            coverage,
            self.stamp,
            tuple(self.findings),
            tuple(sorted(origins, key=lambda o: (o.distribution, o.name))),
        )


def _numbers(options: SignOptions) -> tuple[int | PrivateTag, ...] | None:
    """The elements asked for, those that were named looked up. Raises `UsageError`."""
    if options.tags is None:
        return None
    return tuple(parse_element(t, options.dictionary) if isinstance(t, str) else t for t in options.tags)


def _as_wanted(
    file: DicomFile, options: SignOptions, first: Callable[[DicomFile], object]
) -> contextlib.AbstractContextManager[DicomFile]:
    wanted = options.transfer_syntax
    if wanted is None and file.meta and not file.meta_text(0x00020010):
        wanted = file.syntax.uid  # nobody could be sure of what is signed if the file went on without one
    return as_wanted(file, wanted, options.lengths, file_format=options.file_format, limits=options.limits, first=first)


def _lookup(options: SignOptions) -> Lookup:
    return Lookup(convert_un=options.convert_un, dictionary=options.dictionary)


def _mac_spec(plugins: Plugins, options: SignOptions) -> MacAlgorithmSpec:
    spec = plugins.mac_algorithms.spec(options.mac)
    if spec.weak and not options.allow_weak:
        raise UsageError(
            f"{spec.name} no longer resists forgery",
            code="weak-mac",
            hint="sign with SHA256, or insist with --allow-weak or allow_weak=True",
        )
    return spec


def _values(repadded: Sequence[Repad]) -> str:
    return "1 signed value" if len(repadded) == 1 else f"{len(repadded)} signed values"
