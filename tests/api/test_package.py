"""The public package: its names, its facts, and threads that use it together."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from support.pki import BASE, PKI, checked, key, trusting
from support.signed import Parts

import dsig
from dsig import model

FACTS = [
    value
    for value in vars(model).values()
    if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == "dsig.model"
]


# --------------------------------------------------------------------------------------------------------------- names


def test_every_public_name_is_there_whatever_is_used_first():
    program = (
        "import importlib, sys, types\n"
        "import dsig\n"
        "for first in dsig.__all__:\n"
        "    for module in [m for m in sys.modules if m.partition('.')[0] == 'dsig']:\n"
        "        del sys.modules[module]\n"
        "    dsig = importlib.import_module('dsig')\n"
        "    getattr(dsig, first)\n"
        "    for name in dsig.__all__:\n"
        "        value = getattr(dsig, name)\n"
        "        assert callable(value) and not isinstance(value, types.ModuleType), (first, name)\n"
        "print(len(dsig.__all__))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(done.stdout) == len(dsig.__all__) > 25


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'verifyy'"):
        _ = dsig.verifyy  # type: ignore[attr-defined]


def test_importing_the_package_loads_none_of_the_heavy_libraries():
    program = "import sys, dsig; print(sorted({'pydicom', 'cryptography', 'numpy', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_errors_are_one_family_with_an_exit_status_each():
    family = [dsig.UsageError, dsig.InputError, dsig.KeySourceError, dsig.PluginError, dsig.OutputError]
    assert all(issubclass(error, dsig.DsigError) for error in [*family, dsig.MalformedError, dsig.LimitError])
    assert len({error.exit_status for error in family}) == len(family)


# --------------------------------------------------------------------------------------------------------------- facts


@pytest.mark.parametrize("kind", FACTS, ids=lambda k: k.__name__)
def test_facts_of_a_report_are_frozen(kind: type):
    one = object.__new__(kind)
    field = dataclasses.fields(kind)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, field, "changed")
    assert not hasattr(one, "__dict__")


def test_a_report_and_all_it_holds_cannot_be_changed():
    report = checked(Parts().file())
    assert isinstance(report.signatures, tuple)
    assert isinstance(report.findings, tuple)
    [signature] = report.signatures
    for part in (signature, signature.mac, signature.coverage, signature.times, signature.axes["integrity"]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, None)


@pytest.mark.parametrize("kind", [dsig.SignOptions, dsig.VerifyOptions, dsig.TrustMaterial, dsig.Limits])
def test_options_are_frozen(kind: type):
    one = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, dataclasses.fields(one)[0].name, None)


@pytest.mark.parametrize("kind", [dsig.SignOptions, dsig.VerifyOptions])
def test_options_are_named_not_counted(kind: type):
    with pytest.raises(TypeError):
        kind("SHA256")


def test_every_axis_is_answered():
    [signature] = checked(Parts().file()).signatures
    assert tuple(signature.axes) == model.AXES == ("structure", "integrity", "coverage", "profile", "trust", "time")


# ---------------------------------------------------------------------------------------------------------------- time


def test_a_time_of_evaluation_without_zone_is_refused():
    with pytest.raises(dsig.UsageError, match="time zone"):
        dsig.verify(Parts().file(), dsig.VerifyOptions(at=datetime(2026, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "verdict"), [("1990-01-01T00:00:00+00:00", "failed"), ("2200-01-01T00:00:00-05:00", "failed")]
)
def test_certificates_are_judged_at_the_time_asked_for(moment: str, verdict: str):
    at = datetime.fromisoformat(moment)
    report = checked(Parts().file(), at=at)
    assert report.verdict == verdict
    assert datetime.fromisoformat(report.signatures[0].times.evaluated) == at
    assert report.signatures[0].axes["integrity"].status == "passed"


# ------------------------------------------------------------------------------------------------------------- threads


def together(count: int, work: object) -> list[object]:
    """Run `work` in so many threads at once and collect what it gives; errors are raised."""
    results: list[object] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - compared in the test
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_threads_may_verify_one_file_together(kind: str, tmp_path: Path):
    path = tmp_path / "signed.dcm"
    dsig.sign(BASE / "ct.dcm", path, key=key())
    given = path if kind == "path" else path.read_bytes()
    options = dsig.VerifyOptions(trust=trusting())
    expected = dsig.verify(given, options).signatures[0].mac.digest

    def work() -> object:
        return [dsig.verify(given, options) for _ in range(10)]

    for reports in together(2, work):
        assert isinstance(reports, list), reports
        assert all((r.verdict, r.signatures[0].mac.digest) == ("passed", expected) for r in reports)


def test_threads_may_sign_with_one_key_together():
    data = (BASE / "rtplan.dcm").read_bytes()
    outputs = together(4, lambda: [dsig.sign(data, key=key()).output for _ in range(5)])
    flat = [output for some in outputs for output in some]  # type: ignore[attr-defined]
    assert len({checked(output).signatures[0].uid for output in flat}) == 20
    assert all(checked(output).verdict == "passed" for output in flat)


def test_threads_may_verify_one_large_file_together(tmp_path: Path):
    """Large enough for the reader to have a thread of its own."""
    from support.encode import element, part10
    from support.signed import DATA, joined

    pixels = element(0x7FE00010, "OW", bytes(range(256)) * (12 << 12))
    path = tmp_path / "large.dcm"
    dsig.sign(part10(joined(DATA | {0x7FE00010: pixels})), path, key=key())
    options = dsig.VerifyOptions(trust=trusting())
    assert [r.verdict for r in together(2, lambda: dsig.verify(path, options))] == ["passed", "passed"]  # type: ignore[attr-defined]


def test_one_file_object_is_left_where_it_was_by_verb_after_verb():
    file = io.BytesIO(Parts().file())
    for _ in range(3):
        assert checked(file).verdict == "passed"
        assert len(dsig.inspect(file).signatures) == 1
        assert file.tell() == 0


def test_version_and_names_are_there_to_be_found():
    from importlib.metadata import version

    assert dsig.__version__ == version("dsig")
    assert set(dsig.__all__) < set(dir(dsig))


def test_neither_files_nor_certificates_flood_the_screen():
    signed = dsig.sign((BASE / "ct.dcm").read_bytes(), key=key())
    removed = dsig.remove(signed.output, everything=True)
    for shown in (signed, removed, dsig.VerifyOptions(trust=dsig.load_trust([PKI / "root.pem"]))):
        assert len(repr(shown)) < 4000
        assert "CompressedSamples" not in repr(shown)


def test_a_certificate_does_not_flood_the_screen():
    assert "certificate" not in repr(key())
