"""What cannot be done is said in words, at once, and leaves nothing behind."""

from __future__ import annotations

import gc
import io
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import certificate, checked, key, signer
from support.signed import DATA, Parts

import dsig
from dsig.dicom.output import replacing
from dsig.dicom.source import open_source

BASE = Path(__file__).parents[1] / "corpus" / "base"
GOOD = Parts()


def test_a_path_of_a_named_pipe_leaves_nothing_open(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    feeder = threading.Thread(target=fifo.write_bytes, args=(b"x" * 100,))
    feeder.start()
    with open_source(fifo) as source:
        assert source.size == 100
    feeder.join()
    del source
    gc.collect()  # a ResourceWarning is an error here


@pytest.mark.parametrize("given", [lambda: io.StringIO("abc"), lambda: (BASE / "mr.dcm").open()], ids=["text", "file"])
def test_a_text_file_object_is_refused(given: Callable[[], IO[str]]):
    with given() as file, pytest.raises(dsig.UsageError, match="text"):
        dsig.verify(file)


def test_a_closed_file_object_is_refused():
    file = io.BytesIO(b"abc")
    file.close()
    with pytest.raises(dsig.UsageError, match="closed"):
        dsig.verify(file)


def test_an_exception_while_a_device_is_written_is_the_devices():
    with pytest.raises(dsig.OutputError), replacing(os.devnull):
        raise FileNotFoundError(2, "in the middle")


def test_a_data_set_pydicom_refuses_is_no_disk_problem_and_its_values_stay_private():
    from pydicom.dataset import Dataset

    data_set = Dataset()
    data_set.SOPInstanceUID = "1.2.3"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set.add_new(0x00280010, "US", "Doe^Jane")
    with pytest.raises(dsig.UsageError) as caught:
        dsig.sign(data_set, key=key())
    assert caught.value.code == "data-set-not-writable"
    assert "Doe^Jane" not in str(caught.value)


def test_a_transfer_syntax_uid_of_garbage_is_refused():
    with pytest.raises(dsig.MalformedError, match="0002,0010"):
        dsig.sign(part10(DATA[0x00100010], "1.2.\xfe40.10008.1.2"), key=key())


FRAGMENTS = s.joined(DATA | {0x7FE00010: e.encapsulated(b"", b"ab")})


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        (part10(s.joined(DATA), e.JPEG), "correct (0002,0010)"),
        (part10(FRAGMENTS, e.LITTLE), "correct (0002,0010)"),
        (FRAGMENTS, "give it File Meta Information that names its transfer syntax"),
    ],
    ids=["native in compressed", "fragments in native", "fragments in who knows what"],
)
def test_pixel_data_that_contradict_the_transfer_syntax_are_not_signed(file, hint):
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(file, key=key())
    assert (caught.value.code, caught.value.hint) == ("transfer-syntax-mismatch", hint)


def test_fragments_that_could_be_others_are_not_signed():
    two = element(0x00280008, "IS", b"2 ")
    pixels = e.encapsulated(b"", b"\1\2\xfe\xff\x00\xe0\3\4")
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(part10(s.joined(DATA | {0x00280008: two, 0x7FE00010: pixels}), e.RLE), key=key())
    assert caught.value.code == "fragment-ambiguity"


@pytest.mark.parametrize(
    "where", ["DigitalSignaturesSequence[0]", "MACParametersSequence[0]", "OriginalAttributesSequence[0]"]
)
def test_items_whose_signature_would_never_count_are_not_signed(where):
    original = sequence(0x04000561, item(element(0x00100010, "PN", b"Old^Name")))
    file = part10(s.joined(GOOD.elements() | {0x04000561: original}))
    with pytest.raises(dsig.UsageError) as caught:
        dsig.sign(file, key=key(), options=dsig.SignOptions(item=where))
    assert caught.value.code == "bad-location"


def test_an_odd_number_in_a_big_endian_file_is_signed_as_it_is_written():
    file = part10(element(0x00280010, "US", b"\1\2\3", order=">"), e.BIG)
    assert checked(dsig.sign(file, key=key()).output).verdict == "passed"


def test_removing_all_signatures_leaves_no_second_sequence():
    whole = s.joined(GOOD.elements()) + GOOD.elements()[s.DIGITAL_SIGNATURES]
    assert s.tag(s.DIGITAL_SIGNATURES) not in dsig.remove(part10(whole), everything=True).output


def test_removing_all_signatures_removes_what_is_no_sequence():
    data = DATA | {s.MAC_PARAMETERS: element(s.MAC_PARAMETERS, "OB", b"ab")}
    assert s.tag(s.MAC_PARAMETERS) not in dsig.remove(part10(s.joined(data)), everything=True).output


def test_the_certificate_in_a_report_has_no_pad_byte():
    odd = next(n for n in ("rsa2048", "p256", "p384", "dsa2048", "rsa4096") if len(certificate(n)) % 2)
    [signature] = checked(Parts(signer=signer(odd)).file()).signatures
    assert signature.certificate == signer(odd).certificate


def test_an_input_without_end_is_refused_at_a_limit():
    limits = dsig.Limits(unseekable_size=3 << 20)
    with pytest.raises(dsig.LimitError, match="unseekable_size"):
        dsig.inspect("/dev/zero", limits=limits)
    assert dsig.verify("/dev/zero", dsig.VerifyOptions(limits=limits)).error.code == "limit-exceeded"


# --------------------------------------------------------------------------------------------- what newcomers would try


def test_a_key_that_is_not_open_says_how_to_open_it():
    with pytest.raises(dsig.UsageError, match=r"not open .*with dsig\.open_key"):
        dsig.sign(BASE / "ct.dcm", io.BytesIO(), key=dsig.open_key("key.pem"))  # type: ignore[arg-type]


def test_one_path_of_trust_is_not_taken_for_its_letters(tmp_path):
    for paths in ("ca.pem", tmp_path / "ca.pem"):
        with pytest.raises(dsig.UsageError, match="write a list"):
            dsig.load_trust(paths)  # type: ignore[arg-type]
    with pytest.raises(dsig.UsageError, match="TrustMaterial, not str"):
        dsig.verify(BASE / "ct.dcm", dsig.VerifyOptions(trust="ca.pem"))  # type: ignore[arg-type]


def test_a_report_is_no_answer_to_if():
    report = dsig.verify(BASE / "ct.dcm")
    with pytest.raises(TypeError, match="verdict"):
        bool(report)
    assert report.verdict == "unsigned"


def test_elements_to_sign_may_be_named():
    options = dsig.SignOptions(tags=("PatientName", "0010,0020", 0x00080018))
    signed = dsig.sign(BASE / "ct.dcm", io.BytesIO(), key=key(), options=options)
    assert signed.mac.elements == (0x00080018, 0x00100010, 0x00100020)
    with pytest.raises(dsig.UsageError):
        dsig.sign(BASE / "ct.dcm", io.BytesIO(), key=key(), options=dsig.SignOptions(tags=("PatientNam",)))


def test_what_is_damaged_says_what_to_do():
    error = dsig.verify((BASE / "ct.dcm").read_bytes()[:3000]).error
    assert error is not None
    assert "another copy" in error.hint
    error = dsig.verify("no-such-file.dcm").error
    assert error is not None
    assert "check the path" in error.hint


def test_how_much_is_missing_is_exact():
    """The last element is padding of 126 bytes."""
    error = dsig.verify((BASE / "mr.dcm").read_bytes()[:-50]).error
    assert error is not None
    assert error.message == "(FFFC,FFFC) claims 126 bytes, 50 beyond where the data end"
