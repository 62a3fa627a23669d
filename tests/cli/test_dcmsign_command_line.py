"""The command line of dsig-dcmsign: which options go together, which counts, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.dcmsign import Run, dcmsign

from dsig.cli.dcmsign.options import BY_NAME, OPTIONS
from dsig.cli.dcmsign.request import Operation, Request, request
from dsig.cli.dcmsign.words import CommandLineError, expanded, read_words

SIGN = ("+s", "key.pem", "cert.pem")


def asked(*words: str) -> Request:
    return request(read_words(words))


def refused(*words: str) -> str:
    with pytest.raises(CommandLineError) as caught:
        asked(*words)
    return str(caught.value)


# -------------------------------------------------------------------------------------------------------------- values


def test_the_defaults_are_those_of_the_tool():
    plain = asked(*SIGN, "in.dcm", "out.dcm")
    assert (plain.mac, plain.profile, plain.purpose, plain.tags) == ("RIPEMD160", "none", None, ())
    assert (plain.lengths, plain.transfer_syntax, plain.password) == ("explicit", None, None)
    assert (plain.source, plain.target, plain.key, plain.certificate) == ("in.dcm", "out.dcm", "key.pem", "cert.pem")
    verifying = asked("in.dcm")
    assert (verifying.operation, verifying.require, verifying.timestamps) == ("--verify", "", "--verify-ts")
    assert not verifying.check_crls


@pytest.mark.parametrize("option", OPTIONS, ids=lambda o: o.long)
def test_short_and_long_names_are_one_option(option):
    assert BY_NAME[option.long] is option
    assert not option.short or BY_NAME[option.short] is option


def test_names_are_unique():
    names = [name for o in OPTIONS for name in (o.short, o.long) if name]
    assert len(names) == len(set(names)) == len(BY_NAME)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["+m2", "+m5"], "mac", "SHA512"),
        (["+m5", "+m2"], "mac", "SHA256"),
        (["+pc", "+pb", "-pf"], "profile", "none"),
        (["+sp", "4", "-sp"], "purpose", None),
        (["-sp", "+sp", "4"], "purpose", 4),
        (["+pw", "x", "-pw"], "password", ""),
        (["-pw", "+ps"], "password", None),
        (["-e", "+e"], "lengths", "explicit"),
        (["+te", "+tb"], "transfer_syntax", "big"),
        (["+te", "+t="], "transfer_syntax", None),
        (["-fo", "-fn"], "old_format", False),
        (["-der", "-pem"], "der", False),
        (["+uc", "-uc"], "convert_un", False),
        (["+d", "a", "+d", "b"], "dump", "b"),
        (["-tf", "a", "-tf", "b"], "tag_file", "b"),
        (["-t", "a", "-t", "b"], "tags", ("a", "b")),
    ],
)
def test_the_rightmost_option_counts(words: list[str], field: str, value: object):
    assert getattr(asked(*SIGN, *words, "in", "out"), field) == value


def test_the_rightmost_command_counts():
    last = asked("+ra", "+s", "k", "c", "+r", "1.2.3", "in", "out")
    assert (last.operation, last.uid, last.key) == (Operation.REMOVE, "1.2.3", "")


def test_options_and_parameters_may_stand_in_any_order():
    assert asked("in", *SIGN, "out", "+m2") == asked("+m2", *SIGN, "in", "out")


def test_a_value_may_look_like_an_option():
    assert asked("-t", "--verify", "in").tags == ("--verify",)


def test_files_are_named_by_a_dash_or_begin_with_a_digit_after_it():
    assert asked("-").source == "-"
    assert asked("-5").source == "-5"


def test_what_counts_is_checked_and_what_does_not_is_not():
    assert asked("+pc", "-pf", "+si", "k", "c", "l", "in", "out").profile == "none"
    assert asked("-te", "-t=", "in").input_kind == "auto"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ([], "auto"),
        (["+f"], "auto"),
        (["+fo"], "file"),
        (["-f"], "dataset"),
        (["-f", "-te"], "dataset-le"),
        (["-f", "-tb"], "dataset-be"),
        (["-f", "-ti"], "dataset-implicit"),
    ],
)
def test_forms_of_input(words, kind):
    assert asked(*words, "in").input_kind == kind


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--frob", "in"], "Unknown option --frob"),
        (["--verif", "in"], "Unknown option --verif"),
        (["--verify=1", "in"], "Unknown option --verify=1"),
        (["--", "in"], "Unknown option --"),
        (["+s", "k"], "Missing value for option --sign"),
        ([], "Missing parameter dcmfile-in"),
        (["+s", "a", "b"], "Missing parameter dcmfile-in"),
        (["a", "b", "c"], "Too many parameters"),
        (["a", "b"], "parameter dcmfile-out not allowed for --verify"),
        (["+ra", "a"], "parameter dcmfile-out required for --remove-all"),
        (["+t", "a", "b", "c", "d"], "parameter dcmfile-out required for --insert-timestamp"),
        (["+pw", "x", "a"], "--use-passwd only allowed with --sign or --sign-item"),
        (["-pf", "a"], "--profile-none only allowed with --sign or --sign-item"),
        (["+pc", "+si", "k", "c", "l", "a", "b"], "--profile-creator only allowed with --sign"),
        (["+tm2", "+s", "k", "c", "a", "b"], "--ts-mac-sha256 only allowed with --timestamp-file"),
        (["+ts", "q", "u", "a"], "--timestamp-file only allowed with --sign or --sign-item"),
        (["+rg", "+s", "k", "c", "a", "b"], "--require-sig only allowed with --verify"),
        (["+cl", "+s", "k", "c", "a", "b"], "--enable-crl-vfy only allowed with --verify"),
        (["+d", "x", "a"], "--dump only allowed with --sign or --sign-item"),
        (["-te", "a"], "--read-xfer-little only allowed with --read-dataset"),
        (["-f", "+f", "-te", "a"], "--read-xfer-little only allowed with --read-dataset"),
        (["+sp", "19", "+s", "k", "c", "a", "b"], "Invalid value for option --sig-purpose (overflow: 19)"),
        (["+sp", "0", "+s", "k", "c", "a", "b"], "Invalid value for option --sig-purpose (underflow: 0)"),
        (["+sp", "x", "+s", "k", "c", "a", "b"], "Invalid value for option --sig-purpose (x)"),
    ],
)
def test_wrong_command_lines(words: list[str], said: str):
    """Texts as observed of the tool."""
    assert refused(*words) == said


def test_a_wrong_command_line_is_told_on_standard_error():
    run = dcmsign("--frob")
    assert (run.code, run.out) == (1, "")
    assert run.log.splitlines()[-1] == "error: Unknown option --frob"


@pytest.mark.parametrize(
    "words", [["-q", "-ll", "debug"], ["-v", "-lc", "x"], ["-ll", "loud"], ["-lc", "no-such-file"], ["@no-such-file"]]
)
def test_wrong_logging_and_command_files(words):
    assert dcmsign(*words, "in").code == 1


# ------------------------------------------------------------------------------------------------------- command files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("--verify  a.dcm\n-v\t+cf x", ["--verify", "a.dcm", "-v", "+cf", "x"]),
        ("'a file' \"and another\"", ["a file", "and another"]),
        ("+pw \"\" ''", ["+pw", "", ""]),
        ("a'' \"", ["a"]),
        ("it's one", ["its one"]),
        ('a"b c"d', ["ab c", "d"]),
        ('"of its own\' \r\n"\r\nb', ["of its own' \r\n", "b"]),
        ('"to the end', ["to the end"]),
        ("a\\ b\vc", ["a\\", "b\vc"]),
        ("@other", ["@other"]),
        ("", []),
    ],
)
def test_words_of_command_files(tmp_path: Path, content: str, words: list[str]):
    path = tmp_path / "command"
    path.write_text(content)
    assert expanded(["first", f"@{path}", "last"]) == ["first", *words, "last"]


def test_a_lone_at_sign_is_a_file_name():
    assert expanded(["@"]) == ["@"]


# ----------------------------------------------------------------------------------------------------------- exclusive


def test_no_arguments_give_the_help_text():
    assert dcmsign() == dcmsign("--help")
    assert dcmsign("--help").code == 0


def test_the_help_text_names_every_option_once():
    lines = dcmsign("--help").out.splitlines()
    for option in OPTIONS:
        named = [line for line in lines if line.split()[: 1 + bool(option.short)][-1:] == [option.long]]
        assert len(named) == 1, option


def test_version_and_purposes():
    assert dcmsign("--version").out.startswith("$dsig: dsig-dcmsign v")
    listed = dcmsign("+lp").out.splitlines()
    assert "   5: Verification Signature" in listed
    assert "  18: Timestamp Signature" in listed
    assert sum(line[2:4].strip().isdigit() for line in listed) == 18


def test_exclusive_options_do_not_excuse_unknown_ones():
    assert dcmsign("--help", "--frob").code == 1


def test_an_empty_name_is_no_file():
    assert dcmsign("").code == 21


# ------------------------------------------------------------------------------------------------------------- secrets

CANARY = "Opened-By-No-One-7"


@pytest.mark.parametrize("level", ["-q", "-v", "-d"])
def test_a_password_is_never_said(level: str, pki: Path, tmp_path: Path):
    run = dcmsign(
        *("--arguments", level, "+s", pki / "rsa2048.key.enc.pem", pki / "rsa2048.pem", "+pw", CANARY),
        *(pki.parent / "base" / "mr.dcm", tmp_path / "o.dcm"),
    )
    assert run.code == 20
    assert CANARY not in run.log + run.out
    assert "'--use-passwd' '********'" in run.log


def test_a_password_does_not_stay_in_the_process_list(pki: Path):
    code = (
        "import sys; from dsig.cli.dcmsign.secrecy import forget_password; forget_password();"
        "print(open('/proc/self/cmdline').read().replace('\\0', ' '), sys.argv)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "+s", "k", "c", "+pw", CANARY, "a", "--use-passwd", CANARY],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'+pw', '********', 'a', '--use-passwd', '********'" in done.stdout, "what this process knows"
    assert CANARY not in done.stdout
    assert f"+pw {'*' * len(CANARY)} a" in done.stdout


# ---------------------------------------------------------------------------------------------------------------- logs


def of_ct(*words: str, ct: Path) -> Run:
    return dcmsign(*words, ct)


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ([], "W"),
        (["-q"], ""),
        (["-v"], "IW"),
        (["-ll", "info"], "IW"),
        (["-ll", "ERROR"], ""),
        (["-ll", "trace"], "IW"),
    ],
)
def test_levels(words: list[str], letters: str, ct: Path):
    run = of_ct(*words, ct=ct)
    assert run.code == 0
    assert "".join(sorted({line[0] for line in run.log.splitlines()})) == letters
    assert run.out == ""


def test_arguments_are_shown_whatever_the_level(ct: Path):
    run = of_ct("-q", "--arguments", ct=ct)
    assert run.log == f"I: calling 'dsig-dcmsign' with 3 arguments: '--quiet' '--arguments' '{ct}' \n"


CONFIGURATION = """
# the parts of the tool's sample that matter
log4cplus.rootLogger = DEBUG, console, file
log4cplus.appender.console = log4cplus::ConsoleAppender
log4cplus.appender.console.Threshold = WARN
log4cplus.appender.console.logToStderr = true
log4cplus.appender.console.layout = log4cplus::PatternLayout
log4cplus.appender.console.layout.ConversionPattern = <%5p> %m%n
log4cplus.appender.file = log4cplus::FileAppender
log4cplus.appender.file.File = ${here}/${appname}.log
log4cplus.appender.file.Append = true
log4cplus.appender.file.layout = log4cplus::PatternLayout
log4cplus.appender.file.layout.ConversionPattern = %D{%Y} %-5p %P %c: %m%n
"""


def test_a_log_configuration_says_where_lines_go(tmp_path: Path, ct: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("here", str(tmp_path))
    path = tmp_path / "logger.cfg"
    path.write_text(CONFIGURATION)
    run = of_ct("-lc", str(path), ct=ct)
    assert run.code == 0
    assert run.log.splitlines()[0] == "< WARN> no signatures found in dataset."
    lines = (tmp_path / "dcmsign.log").read_text().splitlines()
    assert lines[0].endswith(f"INFO  I dcmtk.dcmsign: open input file {ct}")
    assert lines[0][:4].isdigit()


def test_loggers_of_the_application_come_before_the_root(tmp_path: Path, ct: Path):
    path = tmp_path / "logger.cfg"
    path.write_text(
        CONFIGURATION.replace(", file", "").replace("WARN", "TRACE")
        + "log4cplus.logger.dcmtk = ERROR\nlog4cplus.logger.dcmtk.dcmdata = TRACE\n"
    )
    assert of_ct("-lc", str(path), ct=ct).log == ""


@pytest.mark.parametrize(
    "line",
    [
        "log4cplus.appender.console = log4cplus::SocketAppender",
        "log4cplus.rootLogger = LOUD, console",
        "log4cplus.rootLogger = INFO, nobody",
        "log4cplus.appender.console.layout = log4cplus::XMLLayout",
        "log4cplus.appender.console = log4cplus::FileAppender",
    ],
)
def test_a_configuration_that_cannot_be_followed_is_an_error(tmp_path: Path, ct: Path, line: str):
    path = tmp_path / "logger.cfg"
    path.write_text(CONFIGURATION.replace(", file", "") + line)
    run = of_ct("-lc", str(path), ct=ct)
    assert run.code == 1
    assert str(path) in run.log
