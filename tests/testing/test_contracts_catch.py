"""Each contract against providers that are wrong in one way: the test named beside them must fail."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import itertools
import random
import signal
import subprocess
import sys
import threading
import types
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path

import pytest

import dsig.plugins
from dsig.errors import InputError, KeySourceError
from dsig.hookspecs import (
    CryptoBackendSpec,
    ExecutorSettings,
    ExecutorSpec,
    KeyRequest,
    KeySourceSpec,
    MacAlgorithmSpec,
    ObserverSpec,
    ProfileSpec,
    ReporterSpec,
    SignatureCheck,
    TaskLost,
    ThumbnailerSpec,
    TimestampSourceSpec,
    TrustBackendSpec,
    TrustEvidence,
    hookimpl,
)
from dsig.keys import NoSecrets
from dsig.model import Finding, Status
from dsig.testing import (
    CryptoBackendContract,
    ExecutorContract,
    KeySourceContract,
    MacAlgorithmContract,
    ObserverContract,
    ProfileContract,
    ReporterContract,
    ThumbnailerContract,
    TimestampSourceContract,
    TrustBackendContract,
    assert_light,
    unsigned_file,
)
from dsig.testing.installed import installed as everything
from dsig.testing.pki import shared
from dsig.testing.tsa import serving

ABC = {b"abc": hashlib.sha256(b"abc").hexdigest()}
REAL = dsig.plugins.load()
CRYPTO = type(REAL.crypto_backends.get("cryptography"))
TRUST = type(REAL.trust_backends.get("cryptography"))
CREATOR = type(REAL.profiles.get("creator"))
TEXT = type(REAL.reporters.get("text"))
HTTP = type(REAL.timestamp_sources.get("http"))


@pytest.fixture
def installed(monkeypatch):
    """Installs a plugin made of specs whose factories are attributes of one module."""

    def install(hook: str, spec: object, provider: object) -> None:
        module = types.ModuleType("wrong_plugin")
        module.provider = provider
        setattr(module, hook, hookimpl(specname=hook)(lambda: [spec]))
        monkeypatch.setitem(sys.modules, "wrong_plugin", module)
        entry = metadata.EntryPoint("wrong", "wrong_plugin", "dsig")
        known = list(metadata.entry_points(group="dsig"))
        monkeypatch.setattr("dsig.distributions.entry_points", lambda group: [*known, entry])
        dsig.plugins.default.cache_clear()
        everything.cache_clear()

    yield install
    monkeypatch.undo()
    dsig.plugins.default.cache_clear()
    everything.cache_clear()


def assert_caught(contract: object, test: str, **fixtures: object) -> None:
    """The test fails; a test that needs what is not given cannot be called at all."""
    method = getattr(contract, test)
    wanted = {name: fixtures[name] for name in inspect.signature(method).parameters}
    with pytest.raises((Exception, pytest.fail.Exception)) as caught:
        method(**wanted)
    assert not isinstance(caught.value, TypeError | NameError | KeyError), caught.value


# ------------------------------------------------------------------------------------------------- MAC algorithms


class Good:
    """SHA-256 with places to go wrong."""

    def __init__(self):
        self.state = hashlib.sha256()

    def update(self, data):
        self.state.update(data)

    def digest(self):
        return self.state.digest()


class LastPiece(Good):
    def update(self, data):
        self.state = hashlib.sha256(data)


class Late(Good):
    def __init__(self):
        self.pieces = []

    def update(self, data):
        self.pieces.append(data)

    def digest(self):
        return hashlib.sha256(b"".join(bytes(p) for p in self.pieces)).digest()


class Shared(Good):
    state = hashlib.sha256()

    def __init__(self):
        pass


class Once(Good):
    def digest(self):
        value, self.state = self.state.digest(), hashlib.sha256()
        return value


class Constant(Good):
    def digest(self):
        return bytes(32)


class Blunt(Good):
    def update(self, data):
        self.state.update(bytes(data)[:-1])


class OfItsOwn(Good):
    def __init__(self):
        self.state = hashlib.sha3_256()


MACS = [
    (LastPiece, "test_does_not_care_how_the_stream_is_cut"),
    (Late, "test_takes_every_kind_of_bytes"),
    (Shared, "test_computations_know_nothing_of_each_other"),
    (Once, "test_the_digest_can_be_asked_for_twice"),
    (Constant, "test_one_bit_matters"),
    (Blunt, "test_one_bit_matters"),
    (OfItsOwn, "test_gives_what_others_computed"),
]


@pytest.mark.parametrize(("wrong", "test"), MACS, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_macs(wrong, test, installed):
    spec = MacAlgorithmSpec(
        name="WRONG", summary="x", factory="wrong_plugin:provider", oid="2.16.840.1.101.3.4.2.1", digest_size=32
    )
    installed("dsig_mac_algorithms", spec, wrong)
    contract = MacAlgorithmContract()
    contract.name, contract.vectors = "WRONG", ABC
    assert_caught(contract, test)
    installed("dsig_mac_algorithms", spec, Good)
    getattr(contract, test)()


def test_a_mac_that_is_no_defined_term(installed):
    spec = MacAlgorithmSpec(
        name="sha-256", summary="x", factory="wrong_plugin:provider", oid="2.16.840.1.101.3.4.2.1", digest_size=32
    )
    installed("dsig_mac_algorithms", spec, Good)
    contract = MacAlgorithmContract()
    contract.name, contract.vectors = "sha-256", ABC
    assert_caught(contract, "test_is_registered_under_a_defined_term")
    contract.vectors = {}
    assert_caught(contract, "test_gives_what_others_computed")


# ---------------------------------------------------------------------------------------------------- key sources


class GoodSigner:
    def __init__(self, key="p256"):
        self.key = shared().signers[key]
        self.certificate = self.key.certificate
        self.chain = (shared().issuing.certificate,)

    def sign_digest(self, digest, mac):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        size = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}[len(digest)]
        return self.key.key.sign(digest, ec.ECDSA(utils.Prehashed(size)))


class GoodSource:
    signer = GoodSigner

    @contextmanager
    def open(self, request, secrets):
        if request.uri.endswith("nobody"):
            raise KeySourceError("no such key", hint="look again")
        yield self.signer()


def source(**methods):
    """A source whose signer has other methods."""
    signer = type("WrongSigner", (GoodSigner,), methods)
    return type("WrongSource", (GoodSource,), {"signer": signer})


def other_certificate(self):
    GoodSigner.__init__(self)
    self.certificate = shared().signers["p521"].certificate


def chain_with_signer(self):
    GoodSigner.__init__(self)
    self.chain = (self.certificate,)


def pem(self):
    GoodSigner.__init__(self)
    self.certificate = b"-----BEGIN CERTIFICATE-----\n"


def hashes_again(self, digest, mac):
    return self.key.sign(digest, mac.name)


def pads(self, digest, mac):
    return GoodSigner.sign_digest(self, digest, mac) + b"\0"


def talks(self, digest, mac):
    print("signing")  # noqa: T201 - what it is caught for
    return GoodSigner.sign_digest(self, digest, mac)


def hashes_first(self, digest, mac):
    return self.__dict__.setdefault("kept", GoodSigner.sign_digest(self, digest, mac))


class Mute(GoodSource):
    def open(self, request, secrets):
        if request.uri.endswith("nobody"):
            raise KeySourceError("no such key")
        return super().open(request, secrets)


class Crashes(GoodSource):
    def open(self, request, secrets):
        if request.uri.endswith("nobody"):
            raise FileNotFoundError(request.uri)
        return super().open(request, secrets)


class OpensOnce(GoodSource):
    opened = False

    @contextmanager
    def open(self, request, secrets):
        if OpensOnce.opened:
            raise KeySourceError("in use")
        OpensOnce.opened = True
        yield GoodSigner()


class TellsSecrets(GoodSource):
    def open(self, request, secrets):
        raise KeySourceError(f"{secrets.get('passphrase', 'key')} is wrong", hint="x")


class TellsSecretsInCause(GoodSource):
    def open(self, request, secrets):
        try:
            raise ValueError(secrets.get("passphrase", "key"))
        except ValueError:
            raise KeySourceError("wrong", hint="x") from None


class TriesPins(GoodSource):
    def open(self, request, secrets):
        while secrets.get("pin", "token"):
            pass
        raise KeySourceError("wrong", hint="x")


class TakesAnything(GoodSource):
    def open(self, request, secrets):
        secrets.get("passphrase", "key")
        return super().open(request, secrets)


KEYS = {
    "another certificate": (source(__init__=other_certificate), "test_a_signature_is_of_the_digest_and_of_no_other"),
    "PEM": (source(__init__=pem), "test_the_certificate_is_one_der_certificate"),
    "repeats the signer": (source(__init__=chain_with_signer), "test_the_chain_is_der_certificates"),
    "hashes again": (source(sign_digest=hashes_again), "test_a_signature_is_of_the_digest_and_of_no_other"),
    "signs once": (source(sign_digest=hashes_first), "test_a_signature_is_of_the_digest_and_of_no_other"),
    "lies, end to end": (source(sign_digest=hashes_again), "test_a_file_is_signed_and_verifies"),
    "pads": (source(sign_digest=pads), "test_a_signature_has_no_padding"),
    "prints": (source(sign_digest=talks), "test_nothing_is_written_to_the_terminal"),
    "not for threads": (source(sign_digest=hashes_first), "test_threads_may_share_it_if_it_says_so"),
    "opens once": (OpensOnce, "test_the_key_can_be_opened_again"),
    "no hint": (Mute, "test_a_key_that_is_not_there_is_told"),
    "another exception": (Crashes, "test_a_key_that_is_not_there_is_told"),
    "tells secrets": (TellsSecrets, "test_secrets_stay_secret"),
    "tells secrets in a cause": (TellsSecretsInCause, "test_secrets_stay_secret"),
    "tries a PIN again": (TriesPins, "test_secrets_stay_secret"),
    "takes any secret": (TakesAnything, "test_secrets_stay_secret"),
}


@pytest.mark.parametrize("name", KEYS)
def test_wrong_key_sources(name, installed, capfd, caplog):
    wrong, test = KEYS[name]
    spec = KeySourceSpec(
        name="wrong", summary="x", factory="wrong_plugin:provider", schemes=("wrong",), workers="threads"
    )
    installed("dsig_key_sources", spec, wrong)
    provider = wrong()
    with ExitStack() as stack:
        fixtures = {
            "uri": "wrong:key",
            "wrong_uri": "wrong:nobody",
            "certificate": None,
            "secrets": NoSecrets(),
            "new_secrets": NoSecrets,
            "source": provider,
            "backend": REAL.crypto_backends.get("cryptography"),
            "capfd": capfd,
            "caplog": caplog,
        }
        if "secrets_stay" not in test:
            fixtures["signer"] = stack.enter_context(provider.open(KeyRequest("wrong:key"), NoSecrets()))
            OpensOnce.opened = False
        assert_caught(KeySourceContract(), test, **fixtures)


# ---------------------------------------------------------------------------------------------------- crypto, trust


class TakesAll(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        return SignatureCheck(True)


class Trims(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        return super().verify_digest(certificate, digest, mac, signature.rstrip(b"\0"))


class Silent(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        return SignatureCheck(super().verify_digest(certificate, digest, mac, signature).valid)


class Raises(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        self.certificate(certificate)
        return super().verify_digest(certificate, digest, mac, signature)


class Never(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        return SignatureCheck(False, "no")


class Lenient(CRYPTO):
    def certificate(self, der):
        return super().certificate(der[: 4 + int.from_bytes(der[2:4])])


class Reencodes(CRYPTO):
    def verify_digest(self, certificate, digest, mac, signature):
        if signature[:2] == b"\x30\x84":
            body = signature[6:]
            signature = b"\x30" + (b"\x81" if len(body) > 127 else b"") + bytes([len(body)]) + body
        return super().verify_digest(certificate, digest, mac, signature)


CRYPTOS = [
    (TakesAll, "test_one_bit_matters"),
    (TakesAll, "test_another_message_key_or_mac_is_refused"),
    (Trims, "test_more_padding_is_not"),
    (Silent, "test_one_bit_matters"),
    (Raises, "test_garbage_is_an_answer"),
    (Never, "test_right_signatures_are_valid"),
    (Lenient, "test_a_certificate_is_read_exactly"),
    (Reencodes, "test_encodings_that_are_not_der_are_refused"),
]


@pytest.mark.parametrize(("wrong", "test"), CRYPTOS, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_crypto_backends(wrong, test, installed):
    spec = CryptoBackendSpec(name="wrong", summary="x", factory="wrong_plugin:provider")
    installed("dsig_crypto_backends", spec, wrong)
    contract = CryptoBackendContract()
    contract.name = "wrong"
    assert_caught(contract, test, pki=shared())


class TrustsAll(TRUST):
    def evaluate(self, request):
        return TrustEvidence(Status.PASSED, (request.certificate, *request.intermediates, *request.anchors))


class TrustsNone(TRUST):
    def evaluate(self, request):
        return TrustEvidence(Status.FAILED)


class ForgetsThePath(TRUST):
    def evaluate(self, request):
        return TrustEvidence(super().evaluate(request).status, (request.certificate,))


class LivesNow(TRUST):
    def evaluate(self, request):
        from dataclasses import replace

        return super().evaluate(replace(request, at=shared().now))


class Breaks(TRUST):
    def evaluate(self, request):
        if len(request.certificate) < 10:
            raise ValueError("short")
        return super().evaluate(request)


TRUSTS = [
    (TrustsAll, "test_without_a_path_nothing_passes"),
    (TrustsAll, "test_a_changed_certificate_does_not_pass"),
    (TrustsAll, "test_only_a_certification_authority_certifies"),
    (TrustsAll, "test_garbage_does_not_pass"),
    (TrustsNone, "test_a_path_to_an_anchor_passes"),
    (TrustsNone, "test_what_does_not_pass_is_explained"),
    (ForgetsThePath, "test_a_path_to_an_anchor_passes"),
    (LivesNow, "test_validity_is_judged_at_the_time_asked_for"),
    (Breaks, "test_garbage_does_not_pass"),
]


@pytest.mark.parametrize(("wrong", "test"), TRUSTS, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_trust_backends(wrong, test, installed):
    spec = TrustBackendSpec(name="wrong", summary="x", factory="wrong_plugin:provider")
    installed("dsig_trust_backends", spec, wrong)
    contract = TrustBackendContract()
    contract.name = "wrong"
    assert_caught(contract, test, pki=shared())


# ------------------------------------------------------------------------------------------------ profiles, reports


class Nothing:
    def required(self, view):
        return []

    def check(self, view, signature):
        return []


def profile(**methods):
    return type("WrongProfile", (Nothing,), methods)


PROFILES = {
    "names": (profile(required=lambda s, v: ["PatientName"]), "test_required_elements_are_tags"),
    "group 2": (profile(required=lambda s, v: [0x00020010]), "test_required_elements_are_tags"),
    "dice": (profile(required=lambda s, v: [random.randrange(0x00080000, 1 << 32)]), "test_required_elements_are_tags"),
    "believes values": (
        profile(required=lambda s, v: [int(v.value(0x00080018) or b"1")]),
        "test_required_elements_are_tags",
    ),
    "texts": (profile(check=lambda s, v, g: ["bad"]), "test_findings_can_be_told"),
    "no slug": (profile(check=lambda s, v, g: [Finding("Not Good", "x")]), "test_findings_can_be_told"),
    "raw values": (profile(check=lambda s, v, g: [Finding("bad", "a\x1b")]), "test_findings_can_be_told"),
    "severity": (profile(check=lambda s, v, g: [Finding("bad", "a", severity="fatal")]), "test_findings_can_be_told"),
    "never content": (profile(check=lambda s, v, g: [Finding("bad", "a")]), "test_what_is_signed_under_it_meets_it"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_wrong_profiles(name, installed, tmp_path_factory):
    wrong, test = PROFILES[name]
    installed("dsig_profiles", ProfileSpec(name="wrong", summary="x", factory="wrong_plugin:provider"), wrong)
    contract = ProfileContract()
    contract.name = "wrong"
    assert_caught(contract, test, accepted=unsigned_file(), tmp_path_factory=tmp_path_factory)


class Closes(TEXT):
    def render(self, report, stream, *, verbose=0):
        super().render(report, stream, verbose=verbose)
        stream.close()


class Raw(TEXT):
    def render(self, report, stream, *, verbose=0):
        super().render(report, stream, verbose=verbose)
        for file in report.files:
            stream.writelines(s.mac.algorithm for s in file.signatures)


class Forgets(TEXT):
    def render(self, report, stream, *, verbose=0):
        stream.write(report.files[0].path if report.files else "none")


class Dice(TEXT):
    def render(self, report, stream, *, verbose=0):
        super().render(report, stream, verbose=verbose)
        stream.write(str(random.random()))


class NeedsFiles(TEXT):
    def render(self, report, stream, *, verbose=0):
        stream.write(report.files[0].path)


class WritesBytes(TEXT):
    def render(self, report, stream, *, verbose=0):
        stream.write(b"report")


REPORTERS = [
    (Closes, "test_every_verdict_can_be_told"),
    (Raw, "test_hostile_values_stay_inert"),
    (Forgets, "test_all_files_are_in_it"),
    (Forgets, "test_verdicts_differ"),
    (Dice, "test_the_same_report_looks_the_same"),
    (NeedsFiles, "test_no_files_is_a_report_too"),
    (WritesBytes, "test_the_stream_gets_nothing_else"),
]


@pytest.mark.parametrize(("wrong", "test"), REPORTERS, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_reporters(wrong, test, installed):
    installed("dsig_reporters", ReporterSpec(name="wrong", summary="x", factory="wrong_plugin:provider"), wrong)
    contract = ReporterContract()
    contract.name = "wrong"
    assert_caught(contract, test)


# ------------------------------------------------------------------------------------------- timestamps, executors


class Overlays(HTTP):
    """A way to TSAs with a scheme of its own, and one mistake."""

    first = None

    def stamp(self, request):
        return super().stamp(dataclasses.replace(request, url=request.url.replace("wrong:", "http:", 1)))


class Remembers(Overlays):
    def stamp(self, request):
        Remembers.first = Remembers.first or super().stamp(request)
        return Remembers.first


class NotBytes(Overlays):
    def stamp(self, request):
        return bytearray(super().stamp(request))


class Cuts(Overlays):
    def stamp(self, request):
        return super().stamp(request)[:-1]


class AsksForAnother(Overlays):
    def stamp(self, request):
        at = request.query.index(hashlib.sha256(b"this").digest())
        query = request.query[:at] + bytes(32) + request.query[at + 32 :]
        return super().stamp(dataclasses.replace(request, query=query))


class MakesUp(Overlays):
    def stamp(self, request):
        try:
            return super().stamp(request)
        except InputError:
            return b"0"


class RaisesItsOwn(Overlays):
    def stamp(self, request):
        try:
            return super().stamp(request)
        except InputError as error:
            raise OSError(error.message) from None


class WaitsForever(Overlays):
    def stamp(self, request):
        threading.Event().wait()


class TellsThePassword(Overlays):
    def stamp(self, request):
        raise InputError(f"no answer for {request.user}:{request.password}")


class Prints(Overlays):
    def stamp(self, request):
        sys.stdout.write(f"asking {request.url}")
        return super().stamp(request)


class Swallows(Overlays):
    def stamp(self, request):
        super().stamp(request)
        return b""


SOURCES = [
    (Remembers, "test_the_answer_is_that_of_the_tsa"),
    (NotBytes, "test_the_answer_is_that_of_the_tsa"),
    (Cuts, "test_the_answer_is_that_of_the_tsa"),
    (AsksForAnother, "test_the_answer_is_that_of_the_tsa"),
    (MakesUp, "test_nobody_there_is_told"),
    (RaisesItsOwn, "test_nobody_there_is_told"),
    (WaitsForever, "test_it_waits_no_longer_than_it_may"),
    (TellsThePassword, "test_the_password_stays_secret"),
    (RaisesItsOwn, "test_the_password_stays_secret"),
    (Prints, "test_nothing_is_written_to_the_terminal"),
    (Swallows, "test_a_signature_is_stamped"),
    (Swallows, "test_a_tsa_that_refuses_has_answered"),
]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    with serving(shared(), tmp_path_factory.mktemp("tsa")) as tsa:
        yield tsa


@pytest.mark.interop
@pytest.mark.parametrize(("wrong", "test"), SOURCES, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_timestamp_sources(wrong, test, installed, tsa, capfd, caplog, tmp_path_factory):
    spec = TimestampSourceSpec(name="wrong", summary="x", factory="wrong_plugin:provider", schemes=("wrong",))
    contract = TimestampSourceContract()
    contract.name, contract.patience = "wrong", 0.1
    url = tsa.url.replace("http:", "wrong:")
    fixtures = {"url": url, "nobody_url": "wrong://127.0.0.1:9/tsa", "silent_url": url, "capfd": capfd,
                "caplog": caplog, "tmp_path_factory": tmp_path_factory}  # fmt: skip
    installed("dsig_timestamp_sources", spec, wrong)
    assert_caught(contract, test, **fixtures)


def test_a_timestamp_source_with_the_scheme_of_another(installed):
    spec = TimestampSourceSpec(name="wrong", summary="x", factory="wrong_plugin:provider", schemes=("http",))
    installed("dsig_timestamp_sources", spec, Overlays)
    contract = TimestampSourceContract()
    contract.name = "wrong"
    assert_caught(contract, "test_its_schemes_are_its_own", url="http://127.0.0.1:9/tsa")


def executor(function):
    return type("WrongExecutor", (), {"run": lambda self, work, tasks, settings: function(work, tasks)})


def hides_failures(work, tasks):
    for task in tasks:
        try:
            yield work(task)
        except Exception:  # noqa: BLE001 - the mistake
            yield TaskLost("it failed")


def wraps_failures(work, tasks):
    for task in tasks:
        try:
            yield work(task)
        except Exception as error:
            raise RuntimeError("a task failed") from error


def takes_signals(work, tasks):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield from map(work, tasks)


def says_so(work, tasks):
    for task in tasks:
        sys.stdout.write(f"done {task}")
        yield work(task)


class LosesWorkers:
    """One process a task; where one dies, its task is forgotten."""

    def run(self, work, tasks, settings):
        for task in tasks:
            ran = subprocess.run(
                [sys.executable, "-c", f"from dsig.testing.executors import *; print({work.__name__}({task}))"
                 .replace("*", work.__name__)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if ran.returncode == 0:
                yield int(ran.stdout)


class StartsInVain:
    """Its workers are started twice: early, and for the work, which finds the first ones in its way."""

    def __init__(self):
        self.busy = False

    @contextmanager
    def started(self, settings, prepare):
        prepare()
        self.busy = True
        yield
        self.busy = False

    def run(self, work, tasks, settings):
        return iter(()) if self.busy else map(work, tasks)


EXECUTORS = {
    "starts in vain": (StartsInVain, "test_workers_may_be_started_before_there_is_work"),
    "backwards": (executor(lambda work, tasks: map(work, reversed(list(tasks)))), "in_the_order_of_the_tasks"),
    "twice": (executor(lambda work, tasks: (work(t) for t in tasks for _ in "ab")), "in_the_order_of_the_tasks"),
    "the last is lost": (
        executor(lambda work, tasks: (work(t) for t, _ in itertools.pairwise(tasks))),
        "test_a_run_that_is_stopped_finishes_what_is_begun",
    ),
    "not done": (executor(lambda work, tasks: tasks), "in_the_order_of_the_tasks"),
    "out of nothing": (executor(lambda work, tasks: iter([None])), "test_no_tasks_no_results"),
    "all at once": (executor(lambda work, tasks: map(work, list(tasks))), "test_tasks_are_taken_when_they_are_needed"),
    "hides failures": (executor(hides_failures), "test_what_the_work_raises_comes_up"),
    "wraps failures": (executor(wraps_failures), "test_what_the_work_raises_comes_up"),
    "takes signals": (executor(takes_signals), "test_signals_and_the_terminal_are_left_alone"),
    "prints": (executor(says_so), "test_signals_and_the_terminal_are_left_alone"),
    "loses workers": (LosesWorkers, "test_a_task_that_ends_its_worker_is_told_and_the_others_are_done"),
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_wrong_executors(name, installed, capfd):
    wrong, test = EXECUTORS[name]
    installed("dsig_executors", ExecutorSpec(name="wrong", summary="x", factory="wrong_plugin:provider"), wrong)
    contract = ExecutorContract()
    contract.name = "wrong"
    [test] = [method for method in dir(contract) if test in method]
    before = signal.getsignal(signal.SIGINT)
    try:
        assert_caught(contract, test, settings=ExecutorSettings(jobs=2), capfd=capfd)
    finally:
        signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------------------- observers


class Hears:
    def verified(self, report):
        pass

    def signed(self, facts):
        pass


class Expects(Hears):
    def verified(self, report):
        report.signatures[0].uid  # noqa: B018 - unsigned files have none


class Encodes(Hears):
    def signed(self, facts):
        facts.path.encode("ascii")


class Hangs(Hears):
    def verified(self, report):
        threading.Event().wait()


class Tells(Hears):
    def verified(self, report):
        sys.stderr.write(report.path)


OBSERVERS = [
    (Expects, "test_it_hears_everything"),
    (Encodes, "test_hostile_values_do_not_matter"),
    (Hangs, "test_it_does_not_hang"),
    (Tells, "test_it_is_silent"),
]


@pytest.mark.parametrize(("wrong", "test"), OBSERVERS, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_observers(wrong, test, installed, capfd):
    spec = ObserverSpec(name="wrong", summary="x", factory="wrong_plugin:provider")
    installed("dsig_observers", spec, wrong)
    contract = ObserverContract()
    contract.name, contract.patience = "wrong", 0.1 if wrong is Hangs else 600.0
    assert_caught(contract, test, capfd=capfd)
    if wrong is not Hangs:
        installed("dsig_observers", spec, Hears)
        fixtures = dict.fromkeys(inspect.signature(getattr(contract, test)).parameters, capfd)
        getattr(contract, test)(**fixtures)


# ---------------------------------------------------------------------------------------------------- thumbnailers

THUMBNAILERS = [
    ("TooLarge", "test_it_draws_what_it_can_draw"),
    ("Empty", "test_it_draws_what_it_can_draw"),
    ("OtherSamples", "test_it_draws_what_it_can_draw"),
    ("FramesFromZero", "test_it_draws_what_it_can_draw"),
    ("GivesPng", "test_it_draws_what_it_can_draw"),
    ("GivesPng", "test_reports_show_it"),
    ("Closes", "test_it_draws_what_it_can_draw"),
    ("Closes", "test_reports_show_it"),
    ("Changes", "test_the_same_file_looks_the_same"),
    ("WritesFiles", "test_reports_show_it"),
    ("RaisesOtherThings", "test_what_cannot_be_drawn_is_told"),
    ("RaisesOtherThings", "test_hostile_files_end_nothing"),
    ("DrawsAnything", "test_what_cannot_be_drawn_is_told"),
    ("SaysNothing", "test_what_cannot_be_drawn_is_told"),
    ("Crashes", "test_hostile_files_end_nothing"),
    ("Hangs", "test_hostile_files_end_nothing"),
    ("DoesNotLoad", "test_reports_show_it"),
]


@pytest.fixture
def thumbnailer(installed, monkeypatch):
    """Installs one of `wrong_thumbnailers`, here and for the process that draws."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)

    def install(name: str) -> ThumbnailerContract:
        spec = ThumbnailerSpec(name="wrong", summary="x", factory=f"wrong_thumbnailers:{name}")
        installed("dsig_thumbnailers", spec, None)
        contract = ThumbnailerContract()
        contract.name = "wrong"
        return contract

    return install


@pytest.mark.parametrize(("wrong", "test"), THUMBNAILERS)
def test_wrong_thumbnailers(wrong, test, thumbnailer, tmp_path):
    contract = thumbnailer(wrong)
    contract.seconds = 1 if wrong == "Hangs" else 60
    assert_caught(contract, test, instance=unsigned_file(), tmp_path=tmp_path)


def test_a_right_thumbnailer(thumbnailer, tmp_path):
    contract = thumbnailer("Right")
    for test in sorted({test for _, test in THUMBNAILERS}):
        getattr(contract, test)(instance=unsigned_file(), tmp_path=tmp_path)


# ------------------------------------------------------------------------------------------------------- start-up


def test_a_heavy_plugin_module(tmp_path: Path, monkeypatch):
    (tmp_path / "acme_heavy.py").write_text("import cryptography.x509\n")
    (tmp_path / "acme_broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "acme_light.py").write_text("import json\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert_light("acme_light")
    with pytest.raises(AssertionError, match="imports cryptography"):
        assert_light("acme_heavy")
    with pytest.raises(AssertionError, match="nothing_of_that_name"):
        assert_light("acme_broken")
