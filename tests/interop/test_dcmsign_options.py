"""Every option of dcmsign through the real program and through `dsig-dcmsign`: same exit code, verdicts and outputs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from asn1crypto import tsp
from dcmsign_pairs import CA, SIGN, Both, base, data_sets_differ, mac_streams_differ, run_both
from interop_peers import CORPUS, ENVIRONMENT, PKI, run, succeed
from support.encode import JPEG, element, encapsulated, item, part10, sequence

from dsig.cli.dcmsign.options import OPTIONS

pytestmark = pytest.mark.interop

SIGNED = CORPUS / "files" / "v-base-mr.dcm"
REVOKED = CORPUS / "files" / "v-pki-revoked.dcm"
STAMPED = CORPUS / "files" / "v-ts-sha256.dcm"
REPORT = CORPUS / "files" / "v-prof-srv-srver.dcm"
TWO_LEVELS = CORPUS / "files" / "v-rm-item-main.dcm"
SUPPORT = CORPUS / "support"
MR, SR, RT = base("mr.dcm"), base("sr_basic.dcm"), base("rtplan.dcm")
RLE = base("mr_rle.dcm")
ITEM = ("+si", *SIGN[1:], "BeamSequence[0]")
OUT = "out.dcm"
LOGGER = b"""log4cplus.rootLogger = INFO, file
log4cplus.appender.file = log4cplus::FileAppender
log4cplus.appender.file.File = said.log
log4cplus.appender.file.layout = log4cplus::PatternLayout
log4cplus.appender.file.layout.ConversionPattern = %P: %m%n
"""
NAMED = b"""log4cplus.rootLogger = OFF, file
log4cplus.logger.dcmtk.dcmsign = WARN
log4cplus.appender.file = log4cplus::FileAppender
log4cplus.appender.file.File = said.log
log4cplus.appender.file.layout = log4cplus::PatternLayout
log4cplus.appender.file.layout.ConversionPattern = %c %m%n
"""


@dataclass(frozen=True)
class Line:
    """A command line, and what is compared beside exit code and verdicts."""

    words: tuple[object, ...]
    writes: Sequence[str] = ()
    """Files that both write or both leave out."""
    finds: Sequence[tuple[str, bytes]] = ()
    """Files in the directory both run in."""


def line(*words: object, writes: Sequence[str] = (), **finds: bytes) -> Line:
    return Line(words, writes, tuple(finds.items()))


def signs(*words: object, source: Path = MR, **finds: bytes) -> Line:
    return Line((*SIGN, "+d", "dump", *words, source, OUT), (OUT, "dump"), tuple(finds.items()))


def misnamed(path: Path) -> bytes:
    """The file, naming explicit VR big endian as its transfer syntax."""
    content = path.read_bytes()
    assert content.count(b"1.2.840.10008.1.2.1\0", 0, 400) == 1
    return content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1)


UID = str(pydicom.dcmread(SIGNED)[0xFFFAFFFA].value[0][0x04000100].value)


def without(tag: int, left: bytes | None = None) -> bytes:
    """The signed file, its signature without an attribute, or with this value of it."""
    data_set, file = pydicom.dcmread(SIGNED), BytesIO()
    item = data_set[0xFFFAFFFA].value[0]
    if left is None:
        del item[tag]
    else:
        item[tag].value = left
    data_set.save_as(file)
    return file.getvalue()


def with_key(name: str) -> tuple[object, ...]:
    return ("+s", PKI / name, PKI / "rsa2048.pem")


def stamps(*words: object) -> Line:
    return Line((*SIGN, "+ts", "q.tsq", "u.uid", *words, MR, OUT), (OUT, "q.tsq", "u.uid"))


def inserts(query: str, response: str, uid: str) -> Line:
    return Line(
        ("+t", *(SUPPORT / name for name in (query, response, uid)), SUPPORT / "v-tsop-signed.dcm", OUT), (OUT,)
    )


NO_PIXELS = part10(element(0x00080018, "UI", b"1.2.3\0") + element(0x00080060, "CS", b"SR"), JPEG)
BARE_AND_COMPRESSED = (
    sequence(0x00089215, item(element(0x00080100, "SH", b"ab")))
    + element(0x00280010, "US", b"\1\0")
    + encapsulated(b"", b"\1\2")
)
ODD_FRAGMENT = part10(element(0x00080018, "UI", b"1.2.3\0") + encapsulated(b"", b"\1\2\3"), JPEG)
LINES: dict[str, Line] = {
    # ---------------------------------------------------------------------------------------------------- general
    "no arguments": line(),
    "help": line("-h"),
    "help, long": line("--help"),
    "version": line("--version"),
    "purposes": line("+lp"),
    "arguments": line("--arguments", *CA, SIGNED),
    "quiet": line("-q", *CA, SIGNED),
    "verbose": line("-v", *CA, SIGNED),
    "debug": line("-d", *CA, SIGNED),
    "log level": line("-ll", "info", *CA, SIGNED),
    "log level unknown": line("-ll", "loud", SIGNED),
    "log level beside -v": line("-v", "-ll", "info", SIGNED),
    "log configuration": line("-lc", "logger.cfg", *CA, SIGNED, writes=["said.log"], **{"logger.cfg": LOGGER}),
    "log configuration, logger by its name": line(
        "-lc", "logger.cfg", *CA, SIGNED, writes=["said.log"], **{"logger.cfg": NAMED}
    ),
    "log configuration absent": line("-lc", "none", SIGNED),
    "command file": line("@words", SIGNED, words=f"+cf {CA[1]}\n\t'+uf' \"{CA[3]}\"".encode()),
    "command file absent": line("@none", SIGNED),
    "option unknown": line("--frob", SIGNED),
    "option abbreviated": line("--verif", SIGNED),
    "value missing": line("+s", "key"),
    "no file": line("-v"),
    "three files": line("a", "b", "c"),
    # ------------------------------------------------------------------------------------------------------ input
    "file or data set": line("+f", *CA, SIGNED),
    "data set as file or data set": line("+f", base("nometa_le.dcm")),
    "arguments of a wrong command line": line("--arguments", "+m2", SIGNED),
    "arguments without file": line("--arguments"),
    "quiet and verbose, rightmost": line("-q", "-v", *CA, SIGNED),
    "log level without value": line("-ll"),
    "log level empty": line("-ll", "", SIGNED),
    "log level in capitals": line("-ll", "INFO", *CA, SIGNED),
    "log level twice, rightmost unknown": line("-ll", "info", "-ll", "loud", SIGNED),
    "log level beside configuration": line("-ll", "info", "-lc", "logger.cfg", SIGNED, **{"logger.cfg": LOGGER}),
    "log configuration beside -q": line("-q", "-lc", "logger.cfg", SIGNED, **{"logger.cfg": LOGGER}),
    "log configuration, a directory": line("-lc", ".", SIGNED),
    "log configuration, empty": line("-lc", "logger.cfg", SIGNED, **{"logger.cfg": b""}),
    "log configuration, comments": line("-lc", "logger.cfg", SIGNED, **{"logger.cfg": b"# rootLogger\n"}),
    "log configuration of something else": line("-lc", "logger.cfg", SIGNED, **{"logger.cfg": b"a = b\n"}),
    "log configuration without root": line(
        "-lc", "logger.cfg", SIGNED, **{"logger.cfg": b"log4cplus.logger.dcmtk = INFO\n"}
    ),
    "help before an unknown option": line("-h", "--frob"),
    "help after a value": line("+s", "-h"),
    "help with files and values out of range": line("+sp", "99", "a", "b", "c", "-h"),
    "version before help": line("--version", "-h"),
    "double dash": line("--", SIGNED),
    "option with equals sign": line("--verify=1", SIGNED),
    "cluster of options": line("-vq", SIGNED),
    "lone plus": line("+"),
    "file beginning with a dash": line("-x.dcm", **{"-x.dcm": b""}),
    "file beginning with a dash and digit": line(*CA, "-5", **{"-5": SIGNED.read_bytes()}),
    "command file of another system": line("@words", SIGNED, words=f"+cf {CA[1]}\r\n+uf {CA[3]}\r\n".encode()),
    "command file, empty": line("@words", words=b"\r\n \t"),
    "command file in a command file": line("@words", words=b"@more", more=b"-h"),
    "command file with a comment": line("@words", SIGNED, words=b"# -v\n"),
    "command file, named twice": line("@words", "@words", words=b"-q"),
    "command file with half a quote": line("@words", words=b"'it is one name"),
    "command file with empty words": line("@words", SIGNED, words=b"\"\" ''"),
    "at sign alone": line("@"),
    "two faults: output before option": line("+m2", SIGNED, OUT),
    "two faults: output before option, removing": line("+rg", "+ra", SIGNED),
    "two faults: input before all": line("+m2", "-te", SIGNED, OUT),
    "two faults: in the order of the help text": line("+d", "d", "+sp", "1", "+pc", SIGNED),
    "two faults: value before later option": line("+sp", "99", "+tm2", *SIGN, MR, OUT),
    "two faults: condition before value": line("+sp", "99", "+ra", SIGNED, OUT),
    "two faults: tag file before tag": line("-t", "NoSuchName", "-tf", "none", SIGNED),
    "two faults: tag file before dump": line(*SIGN, "+d", "none/d", "-tf", "none", MR, OUT),
    "two faults: dump before key": line("+s", "none", "none", "+d", "none/d", MR, OUT),
    "two faults: dump before input": line(*SIGN, "+d", "none/d", "none", OUT),
    "two faults: dump before item": line(*ITEM[:3], "Beam[", "+d", "none/d", MR, OUT),
    "file only": line("+fo", *CA, SIGNED),
    "file only, data set given": line("+fo", base("nometa_le.dcm")),
    "data set": line("-f", base("nometa_ct.dcm")),
    "data set little": line("-f", "-te", base("nometa_le.dcm")),
    "data set big": line("-f", "-tb", base("nometa_be.dcm")),
    "data set implicit": line("-f", "-ti", base("nometa_ct.dcm")),
    "syntax without -f": line("-te", SIGNED),
    "syntax automatic": line("-t=", *CA, SIGNED),
    "syntax detected": line("-td", *CA, SIGNED),
    "syntax detected, another named": line("-td", *CA, "x.dcm", **{"x.dcm": misnamed(SIGNED)}),
    "syntax detected, signed": signs("-td", source=MR),
    "syntax detected, deflated": line("+ra", "-td", base("sc_dfl.dcm"), OUT, writes=[OUT]),
    "syntax detected, file only": line("+fo", "-td", *CA, SIGNED),
    "UN kept": line("-uc", *CA, SIGNED),
    "UN converted": line("+uc", *CA, SIGNED),
    "UN kept, signed": signs("-uc", source=base("un_seq.dcm")),
    "UN converted, signed": signs("+uc", source=base("un_seq.dcm")),
    "input absent": line("none.dcm"),
    "input unnamed": line(""),
    "input no DICOM": line(PKI / "root.pem"),
    "input empty": line("e", e=b""),
    "input a directory": line("."),
    # ----------------------------------------------------------------------------------------------- verification
    "verify": line("--verify", *CA, SIGNED),
    "verify with output": line("--verify", SIGNED, OUT, writes=[OUT]),
    "verify, no CA": line(SIGNED),
    "verify, wrong CA": line("+cf", PKI / "other_root.pem", SIGNED),
    "if present, absent": line("+rv", MR),
    "required, absent": line("+rg", MR),
    "required, present": line("+rg", *CA, SIGNED),
    "creator, met": line("+rc", *CA, SIGNED),
    "creator, not met": line("+rc", *CA, CORPUS / "files" / "v-tags-one.dcm"),
    "authorization, met": line("+ru", *CA, SIGNED),
    "authorization, not met": line("+ru", *CA, CORPUS / "files" / "v-tags-one.dcm"),
    "report, met": line("+rs", *CA, REPORT),
    "report, not met": line("+rs", *CA, SIGNED),
    "timestamp verified": line("+tv", *CA, STAMPED),
    "timestamp ignored": line("-tv", *CA, STAMPED),
    "timestamp required, present": line("+tr", *CA, STAMPED),
    "timestamp required, absent": line("+tr", *CA, SIGNED),
    "CRL": line(*CA, "+cr", PKI / "inter.crl.pem", SIGNED),
    "CRL of another": line(*CA, "+cr", PKI / "other_root.crl.pem", SIGNED),
    "CRL expired": line(*CA, "+cr", PKI / "inter_old.crl.pem", SIGNED),
    "CRL asked for, none there": line(*CA, "+cl", SIGNED),
    "CRL, revoked": line(*CA, "+cr", PKI / "inter.crl.pem", REVOKED),
    "revoked, nobody asks": line(*CA, REVOKED),
    "CRL in DER": line(
        *("-der", "+cf", PKI / "root.der", "+uf", PKI / "inter.der", "+cr", PKI / "inter.crl.der"), SIGNED
    ),
    "directory": line("+cd", PKI / "cadir_nocrl", SIGNED),
    "directory with CRLs": line("+cd", PKI / "cadir", "+cl", SIGNED),
    "directory with CRLs, revoked": line("+cd", PKI / "cadir", "+cl", REVOKED),
    "directory with CRLs, revoked, nobody asks": line("+cd", PKI / "cadir", REVOKED),
    "intermediate trusted only": line("+cf", PKI / "inter.pem", SIGNED),
    "signer trusted only": line("+cf", PKI / "rsa2048.pem", SIGNED),
    "self-signed, trusted": line("+cf", PKI / "selfsigned.pem", CORPUS / "files" / "v-pki-selfsigned.dcm"),
    "self-signed, not trusted": line(*CA, CORPUS / "files" / "v-pki-selfsigned.dcm"),
    "expired when signing": line(*CA, CORPUS / "files" / "v-pki-expired-now.dcm"),
    "several levels": line("-v", *CA, TWO_LEVELS),
    "unsigned with +tr": line("+tr", MR),
    "old format": line("-fo", *CA, SIGNED),
    "new format": line("-fn", *CA, SIGNED),
    "DER": line("-der", "+cf", PKI / "root.der", "+uf", PKI / "inter.der", SIGNED),
    "PEM": line("-pem", *CA, SIGNED),
    "verify, signing option": line("+m2", SIGNED),
    "tag file read though verifying": line("-tf", "none", SIGNED),
    "tag unknown though verifying": line("-t", "NoSuchName", SIGNED),
    # ---------------------------------------------------------------------------------------------------- signing
    "sign": signs(),
    "sign, no output": line(*SIGN, MR),
    "sign, verifying option": line("+rg", *SIGN, MR, OUT),
    "sign, output impossible": line(*SIGN, MR, "none/out.dcm"),
    "sign, dump impossible": line(*SIGN, "+d", "none/dump", MR, OUT, writes=[OUT]),
    "sign, dump a directory": line(*SIGN, "+d", ".", MR, OUT, writes=[OUT]),
    "sign, dump unnamed": line(*SIGN, "+d", "", MR, OUT, writes=[OUT]),
    "sign, output a directory": line(*SIGN, MR, "."),
    "sign, output named as a directory": line(*SIGN, MR, "x.dcm/", **{"x.dcm": b""}),
    "sign, output unnamed": line(*SIGN, MR, ""),
    "sign, input empty": line(*SIGN, "e", OUT, writes=[OUT], e=b""),
    "sign, the output full": line(*SIGN, MR, "/dev/full"),
    "sign, twice, rightmost": Line(("+s", "none", "none", *SIGN, MR, OUT), (OUT,)),
    "sign, then verify": line(*SIGN, "--verify", *CA, SIGNED),
    "sign, key a directory": line("+s", ".", SIGN[2], MR, OUT, writes=[OUT]),
    "sign, key empty": line("+s", "e", SIGN[2], MR, OUT, writes=[OUT], e=b""),
    "sign, over the input": Line((*SIGN, "+m2", "x.dcm", "x.dcm"), ("x.dcm",), (("x.dcm", MR.read_bytes()),)),
    "sign again": signs("+m2", source=SIGNED),
    "sign item": Line((*ITEM, "+d", "dump", RT, OUT), (OUT, "dump")),
    "sign item by tag": Line((*ITEM[:3], " (300a,b0) [0] ", "+d", "dump", RT, OUT), (OUT, "dump")),
    "sign item, deep": Line(
        (*ITEM[:3], "BeamSequence[0].ControlPointSequence[0]", "+d", "dump", RT, OUT), (OUT, "dump")
    ),
    "sign item, absent": line(*ITEM[:3], "BeamSequence[7]", RT, OUT, writes=[OUT]),
    "sign item, unreadable": line(*ITEM[:3], "BeamSequence[ 0]", RT, OUT, writes=[OUT]),
    "sign item, empty": line(*ITEM[:3], "", RT, OUT, writes=[OUT]),
    "sign item, profile": line(*ITEM, "+pc", RT, OUT, writes=[OUT]),
    "password asked": signs("+ps"),
    "password given": Line((*with_key("rsa2048.key.enc.pem"), "+pw", "Pass-Word.1", MR, OUT), (OUT,)),
    "password wrong": line(*with_key("rsa2048.key.enc.pem"), "+pw", "wrong", MR, OUT, writes=[OUT]),
    "password empty": line(*with_key("rsa2048.key.enc.pem"), "-pw", MR, OUT, writes=[OUT]),
    "key in DER": Line(
        ("-der", "+s", PKI / "p256.key.pkcs8.der", PKI / "p256.der", "+m2", "-t", "PatientID", MR, OUT), (OUT,)
    ),
    "key in DER as PEM": line("+s", PKI / "p256.key.pkcs8.der", PKI / "p256.der", MR, OUT, writes=[OUT]),
    "key in PEM as DER": line("-der", *SIGN, MR, OUT, writes=[OUT]),
    "key of another certificate": line("+s", PKI / "p384.key.pem", PKI / "rsa2048.pem", MR, OUT, writes=[OUT]),
    "key absent": line(*with_key("none.pem"), MR, OUT, writes=[OUT]),
    "profile none": signs("-pf"),
    "profile base": signs("+pb"),
    "profile base, wrong key": line("+s", PKI / "p256.key.pem", PKI / "p256.pem", "+pb", MR, OUT, writes=[OUT]),
    "profile creator": signs("+pc"),
    "profile creator, one tag": signs("+pc", "-t", "PatientName"),
    "profile authorization": signs("+pa"),
    "profile authorization, one tag": signs("+pa", "-t", "PatientName"),
    "profile report": signs("+pr", source=SR),
    "profile report, purpose": signs("+pr", "+sp", "1", source=SR),
    "profile report, no report": line(*SIGN, "+pr", MR, OUT, writes=[OUT]),
    "profile report verification": signs("+pv", source=base("sr_comp.dcm")),
    "MAC RIPEMD-160": signs("+mr"),
    "MAC SHA-1": signs("+ms"),
    "MAC MD5": signs("+mm"),
    "MAC SHA-256": signs("+m2"),
    "MAC SHA-384": signs("+m3"),
    "MAC SHA-512": signs("+m5"),
    "rightmost MAC": signs("+m5", "+mm", "+m2"),
    "purpose none": signs("+sp", "3", "-sp"),
    **{f"purpose {n}": signs("+sp", str(n)) for n in (1, 4, 5, 17, 18)},
    "purpose 0": line(*SIGN, "+sp", "0", MR, OUT, writes=[OUT]),
    "purpose 19": line(*SIGN, "+sp", "19", MR, OUT, writes=[OUT]),
    "purpose no number": line(*SIGN, "+sp", "five", MR, OUT, writes=[OUT]),
    "purpose 5.5": signs("+sp", "5.5"),
    "purpose 3 with more around": signs("+sp", " +3x"),
    "purpose below nothing": line(*SIGN, "+sp", "-1", MR, OUT, writes=[OUT]),
    "purpose beyond all numbers": line(*SIGN, "+sp", "99999999999999", MR, OUT, writes=[OUT]),
    "purpose without value": line("+sp"),
    "purpose out of range, not the rightmost": signs("+sp", "19", "+sp", "3"),
    "tag by name": signs("-t", "PatientName"),
    "tags": signs("-t", "PatientName", "-t", "7fe0,10", "-t", "0010,0010"),
    "tag with more behind": signs("-t", "0010,0010junk"),
    "tag of short numbers": signs("-t", " 10, 10"),
    "tag of C numbers": signs("-t", "0x10,0X0010"),
    "tag, space before comma": line(*SIGN, "-t", "0010 ,0010", MR, OUT, writes=[OUT]),
    "tag of the past": line(*SIGN, "-t", "RETIRED_OtherPatientIDs", MR, OUT, writes=[OUT]),
    "tag in small letters": line(*SIGN, "-t", "patientid", MR, OUT, writes=[OUT]),
    "tag empty": line(*SIGN, "-t", "", MR, OUT, writes=[OUT]),
    "tag in brackets": line(*SIGN, "-t", "(0010,0010)", MR, OUT, writes=[OUT]),
    "tag of eight digits": line(*SIGN, "-t", "00100010", MR, OUT, writes=[OUT]),
    "tag unknown": line(*SIGN, "-t", "NoSuchName", MR, OUT, writes=[OUT]),
    "tag absent": line(*SIGN, "-t", "PatientBirthName", MR, OUT, writes=[OUT]),
    "tag unsignable": line(*SIGN, "-t", "fffc,fffc", MR, OUT, writes=[OUT]),
    "tag file": signs("-tf", "tags", tags=b"(0010,0010)(0010, 20) Modality\n\n(7fe0,10)"),
    "tag file and tag": signs("-tf", "tags", "-t", "PatientID", tags=b"PatientName"),
    "tag file, rightmost": signs("-tf", "none", "-tf", "tags", tags=b"PatientName"),
    "tag file of another system": signs("-tf", "tags", tags=b"(0010,0010)\r\nPatientID\r\n"),
    "tag file of C numbers": signs("-tf", "tags", tags=b"(0x10,0x10)"),
    "tag file with a byte order mark": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"\xef\xbb\xbfModality"),
    "tag file, semicolon": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"PatientID;Modality"),
    "tag file, bracket open": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"(0010,0010"),
    "tag file absent": line(*SIGN, "-tf", "none", MR, OUT, writes=[OUT]),
    "tag file, unknown name": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"NoSuchName"),
    "tag file, comment": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"# no\nPatientID"),
    "tag file, comma": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"PatientID,PatientName"),
    "tag file, no brackets": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"0010,0010"),
    "tag file, space before comma": line(*SIGN, "-tf", "tags", MR, OUT, writes=[OUT], tags=b"(0010 ,0010)"),
    # ----------------------------------------------------------------------------------------------------- output
    "same syntax": signs("+t="),
    "little": signs("+te", source=base("mr_be.dcm")),
    "big": signs("+tb"),
    "implicit": signs("+ti"),
    "compressed to little": line(*SIGN, "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, item absent": line(*ITEM, "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, tag absent": line(*SIGN, "-t", "BeamSequence", "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, no report": line(*SIGN, "+pr", "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, dump impossible": line(*SIGN, "+d", "none/d", "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, query impossible": line(*SIGN, "+ts", "none/q", "u", "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, UID unknown": line("+r", "1.2.3", "+te", RLE, OUT, writes=[OUT]),
    "compressed to little, nothing to remove": line("+ra", "+te", RLE, OUT, writes=[OUT]),
    "compressed without pixel data": Line((*SIGN, "+d", "dump", "x.dcm", OUT), (OUT, "dump"), (("x.dcm", NO_PIXELS),)),
    "compressed without pixel data to little": Line(
        (*SIGN, "+te", "+d", "dump", "x.dcm", OUT), ("dump",), (("x.dcm", NO_PIXELS),)
    ),
    **{
        f"compressed pixel data, nothing said, {words[0]} {words[-1]}": Line(
            (*words, "x.dcm", OUT), (OUT,), (("x.dcm", BARE_AND_COMPRESSED),)
        )
        for words in (
            SIGN,
            (*SIGN, "-t", "Rows"),
            ("+si", *SIGN[1:], "DerivationCodeSequence[0]"),
            ("+ra",),
        )
    },
    "old format, odd fragment": Line(
        (*SIGN, "-fo", "+d", "dump", "x.dcm", OUT), (OUT, "dump"), (("x.dcm", ODD_FRAGMENT),)
    ),
    "explicit lengths": signs("+e", source=RT),
    "undefined lengths": signs("-e", source=RT),
    "old format, signed": signs("-fo", source=RLE),
    "no meta information": signs("-f", source=base("nometa_le.dcm")),
    # ------------------------------------------------------------------------------------------------- timestamps
    "no timestamp": signs("+ts", "q.tsq", "u.uid", "-ts"),
    "query": stamps(),
    **{f"query {mac}": stamps(mac) for mac in ("+tm2", "+tm3", "+tm5", "+tmr", "+tms", "+tmm")},
    "query with nonce": stamps("+tn"),
    "query without nonce": stamps("-tn"),
    "query for certificate": stamps("+tc"),
    "query for no certificate": stamps("-tc"),
    "query without policy": stamps("+tp", "1.2.3", "-tp"),
    "query with policy": stamps("+tp", "1.2.3.4.1"),
    "query with policy that is none": stamps("+tp", "no-such-policy"),
    **{
        f"query with policy {policy}": line(*SIGN, "+ts", "q.tsq", "u.uid", "+tp", policy, MR, OUT, writes=[OUT])
        for policy in ("1", "1.2", "1.40.3", "3.1", "2.999", "01.2.3", " 1.2", "")
    },
    "query without names": Line((*SIGN, "+ts", "", "", MR, OUT), (OUT,)),
    "query impossible": line(*SIGN, "+ts", "none/q", "u.uid", MR, OUT, writes=[OUT, "u.uid"]),
    "query possible, UID file impossible": line(*SIGN, "+ts", "q.tsq", "none/u", MR, OUT, writes=[OUT]),
    "query option without query": line("+tm2", *SIGN, MR, OUT, writes=[OUT]),
    "query while verifying": line("+ts", "q.tsq", "u.uid", SIGNED, writes=["q.tsq"]),
    "insert": inserts("v-tsop-a.tsq", "v-tsop-a.tsr", "v-tsop-a.uid"),
    "insert, other response": inserts("v-tsop-a.tsq", "v-tsop-b.tsr", "v-tsop-a.uid"),
    "insert, other signature": inserts("v-tsop-b.tsq", "v-tsop-b.tsr", "v-tsop-a.uid"),
    "insert, other UID": inserts("v-tsop-a.tsq", "v-tsop-a.tsr", "v-tsop-b.uid"),
    "insert, no query": inserts("none", "v-tsop-a.tsr", "v-tsop-a.uid"),
    "insert, no response": inserts("v-tsop-a.tsq", "none", "v-tsop-a.uid"),
    "insert, no UID file": inserts("v-tsop-a.tsq", "v-tsop-a.tsr", "none"),
    "insert, query as response": inserts("v-tsop-a.tsq", "v-tsop-a.tsq", "v-tsop-a.uid"),
    "insert, no output": line("+t", "q", "r", "u", SIGNED),
    "private elements": signs("+m2", source=base("ct.dcm")),
    "private elements, big": signs("+m2", source=base("us_be.dcm")),
    # ---------------------------------------------------------------------------------------------------- removal
    "remove all": line("+ra", SIGNED, OUT, writes=[OUT]),
    "remove all, undefined lengths": line("+ra", "-e", TWO_LEVELS, OUT, writes=[OUT]),
    "remove all, implicit": line("+ra", "+ti", SIGNED, OUT, writes=[OUT]),
    "remove all, nothing there": line("+ra", MR, OUT, writes=[OUT]),
    "remove all, over the input": Line(("+ra", "x.dcm", "x.dcm"), ("x.dcm",), (("x.dcm", SIGNED.read_bytes()),)),
    **{
        f"remove, {what}": Line((*words, "x.dcm", OUT), (OUT,), (("x.dcm", content),))
        for words in (("+ra",), ("+r", UID))
        for what, content in {
            f"no MAC ID, {words[0]}": without(0x04000005),
            f"MAC ID empty, {words[0]}": without(0x04000005, left=b""),
            f"no UID, {words[0]}": without(0x04000100),
        }.items()
    },
    "remove, no UID": line("+r", "", SIGNED, OUT, writes=[OUT]),
    "remove, unknown UID": line("+r", "1.2.3.4", SIGNED, OUT, writes=[OUT]),
    "remove, signing option": line("+ra", "+sp", "5", SIGNED, OUT, writes=[OUT]),
}


def names_in(words: Sequence[object]) -> set[str]:
    return {str(word) for word in words}


# ------------------------------------------------------------------------------------------------------------ the table


@pytest.mark.parametrize("title", LINES)
def test_both_do_the_same(title: str, tmp_path: Path):
    case = LINES[title]
    both = run_both(tmp_path, *case.words, prepare=case.finds)
    assert both.ours.code == both.peer.code, f"{both.peer.log}\n---\n{both.ours.log}"
    assert [(s.uid, s.verdict) for s in both.ours.signatures] == [(s.uid, s.verdict) for s in both.peer.signatures]
    assert wrong_usage(both.ours.log) == wrong_usage(both.peer.log)
    if {"+r", "+ra"} & names_in(case.words) and not both.peer.code:
        assert both.ours.said("W") == both.peer.said("W")
    for name in case.writes:
        compare(both, name)


def test_a_hashed_directory_may_hold_other_files(tmp_path: Path):
    directory = tmp_path / "hashed"
    shutil.copytree(PKI / "cadir_nocrl", directory)
    (directory / "README").write_text("ours")
    shutil.copy(PKI / "rsa2048.key.pem", directory)
    both = run_both(tmp_path, "+cd", directory, SIGNED)
    assert (both.peer.code, both.ours.code) == (0, 0), both.ours.log
    for name in directory.glob("*.0"):
        name.rename(name.with_suffix(".pem"))
    shutil.copy(PKI / "other_root.pem", directory / "01234567.0")
    (tmp_path / "again").mkdir()
    both = run_both(tmp_path / "again", "+cd", directory, SIGNED)
    assert (both.peer.code, both.ours.code) == (101, 101), both.ours.log


DICTIONARIES = sorted(Path("/usr/share").glob("libdcmtk*/*.dic"))


def test_dictionaries_of_the_environment_give_the_same_macs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Private elements of a file in implicit VR, with and without the private dictionary."""
    assert {path.name for path in DICTIONARIES} >= {"dicom.dic", "private.dic"}
    implicit = tmp_path / "implicit.dcm"
    succeed("dcmconv", "+ti", base("ct.dcm"), implicit)
    streams = set()
    for number, names in enumerate([("dicom.dic", "private.dic"), ("own.dic", "dicom.dic")]):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "own.dic").write_text('(0009,"GEMS_IDEN_01",01)\tLO\tOwnName\t1\tOwn\n')
        paths = [next((p for p in DICTIONARIES if p.name == name), place / name) for name in names]
        dictionaries = ":".join(map(str, paths))
        monkeypatch.setenv("DCMDICTPATH", dictionaries)
        monkeypatch.setitem(ENVIRONMENT, "DCMDICTPATH", dictionaries)
        both = run_both(place, *SIGN, "+d", "dump", "-t", "PatientName", "-t", "0009,1001", implicit, OUT)
        assert (both.peer.code, both.ours.code) == (0, 0), both.ours.log
        compare(both, "dump")
        streams.add(both.files("dump")[0].read_bytes()[:40])
    assert len(streams) == 1


@pytest.mark.parametrize("path", [SIGNED, REVOKED, REPORT, TWO_LEVELS], ids=lambda p: p.stem)
def test_what_is_told_of_a_signature_is_told_alike(path: Path, tmp_path: Path):
    """With -v, line by line, but for texts that are not results."""
    both = run_both(tmp_path, "-v", *CA, path)
    peer, ours = ([line for line in said.splitlines() if told(line)] for said in (both.peer.log, both.ours.log))
    assert ours == peer


def told(line: str) -> bool:
    """Lines that scripts may read: not those that only we have."""
    return not line.startswith("I:   dsig: ")


def wrong_usage(log: str) -> list[str]:
    """What is said of a wrong command line."""
    return re.findall(r"^error: .*", log, re.MULTILINE)


def compare(both: Both, name: str) -> None:
    """A file that both wrote, or neither."""
    peer, ours = both.files(name)
    assert ours.exists() == peer.exists()
    if not peer.exists():
        return
    if name == "dump":
        assert mac_streams_differ(peer.read_bytes(), ours.read_bytes()) == ""
    elif name.endswith(".tsq"):
        assert asked(ours) == asked(peer)
    elif name.endswith(".uid"):
        for uid, signed in ((peer, both.files(OUT)[0]), (ours, both.files(OUT)[1])):
            [item] = pydicom.dcmread(signed)[0xFFFAFFFA].value
            assert pydicom.dcmread(uid)[0x04000100].value == item[0x04000100].value
    elif name.endswith(".log"):
        assert [text for text in lines(ours) if "Signature" in text] == [
            text for text in lines(peer) if "Signature" in text
        ]
        assert any("Signature" in text for text in lines(peer))
    else:
        assert data_sets_differ(peer, ours) == []


def asked(query: Path) -> list[object]:
    """What a TSA is asked, but for imprint and nonce, which are never alike."""
    said = tsp.TimeStampReq.load(query.read_bytes(), strict=True)
    imprint, nonce = said["message_imprint"], said["nonce"].native
    assert nonce is None or nonce > 0
    size = len(imprint["hashed_message"].native)
    policy, certificate = said["req_policy"].native, said["cert_req"].native
    return [imprint["hash_algorithm"].native, size, nonce is None, policy, certificate, said["version"].native]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


# --------------------------------------------------------------------------------------------------------- bookkeeping


def test_the_options_are_those_of_the_help_text():
    shown = set(re.findall(r"(?<=\s)(?:[-+][a-z0-9=]+\s+)?--[a-z0-9-]+(?=\s)", run("dcmsign", "--help").said))
    peer = {tuple(entry.split()) for entry in shown if not entry.startswith("--verify)")}
    ours = {tuple(filter(None, (o.short, o.long))) for o in OPTIONS}
    assert ours == {entry for entry in peer if len(entry) == 2 or entry[0] in ("--version", "--arguments", "--verify")}


def test_every_option_is_in_the_table():
    used = set().union(*(names_in(case.words) for case in LINES.values()))
    missing = {o.short or o.long for o in OPTIONS if not {o.short, o.long} & used}
    assert missing == set()
