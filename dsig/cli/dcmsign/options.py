"""Every option of dcmsign (the newest, 3.7.0+), as data: the parser, the help text and the migration page read it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BY_NAME", "OPTIONS", "SECTIONS", "Option"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    short: str
    """Such as `+cf`, or empty."""
    long: str
    values: tuple[str, ...]
    """Names of the values that follow, in order."""
    help: str
    """As the help text has it; a line end is one there."""
    twin: str
    """What `dsig` has for it, for docs/dcmsign-migration.md."""
    group: str = ""
    """Of the options of one group the rightmost counts; without a group it can be repeated or is a switch."""
    needs: str = ""
    """A condition of `request.CONDITIONS` without which it is an error."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the help text with its options."""

    title: str
    level: int
    """0: main heading, 1: heading below one."""
    options: tuple[Option, ...] = ()


VERIFYING, SIGNING, MAIN_ONLY, STAMPING, BARE = "verifying", "signing", "main-only", "stamping", "bare"


def _of(group: str, needs: str, *options: Option) -> tuple[Option, ...]:
    return tuple(Option(o.short, o.long, o.values, o.help, o.twin, group, o.needs or needs) for o in options)


def _o(short: str, name: str, text: str, twin: str, *values: str, needs: str = "") -> Option:
    return Option(short, f"--{name}", values, text, twin, "", needs)


_SIGN = "`dsig sign`"
_VERIFY = "`dsig verify`"

SECTIONS: tuple[Section, ...] = (
    Section(
        "general options",
        0,
        (
            _o("-h", "help", "print this help text and exit", "`--help`"),
            _o("", "version", "print version information and exit", "`--version`"),
            _o("", "arguments", "print expanded command line arguments", "not needed: there are no command files"),
            *_of(
                "log",
                "",
                _o("-q", "quiet", "quiet mode, print no warnings and errors", "`--quiet`"),
                _o("-v", "verbose", "verbose mode, print processing details", "`--verbose`"),
                _o("-d", "debug", "debug mode, print debug information", "`--verbose`"),
            ),
            *_of(
                "log-level",
                "",
                _o(
                    "-ll",
                    "log-level",
                    "[l]evel: string constant\n(fatal, error, warn, info, debug, trace)\nuse level l for the logger",
                    "`--quiet`, `--verbose`",
                    "level",
                ),
            ),
            *_of(
                "log-config",
                "",
                _o(
                    "-lc",
                    "log-config",
                    "[f]ilename: string\nuse config file f for the logger",
                    "`--report FILE --format json`; only errors and notes go to standard error",
                    "file",
                ),
            ),
        ),
    ),
    Section("input options", 0),
    Section(
        "input file format",
        1,
        _of(
            "read",
            "",
            _o("+f", "read-file", "read file format or data set (default)", "`--input auto` (default)"),
            _o("+fo", "read-file-only", "read file format only", "`--input file`"),
            _o("-f", "read-dataset", "read data set without file meta information", "`--input dataset`"),
        ),
    ),
    Section(
        "input transfer syntax",
        1,
        _of(
            "read-xfer",
            "",
            _o("-t=", "read-xfer-auto", "use TS recognition (default)", "default"),
            _o(
                "-td",
                "read-xfer-detect",
                "ignore TS specified in the file meta header",
                "not needed: a data set that is not in its transfer syntax is an error that says so",
            ),
            _o(
                "-te",
                "read-xfer-little",
                "read with explicit VR little endian TS",
                "`--input dataset-le`",
                needs=BARE,
            ),
            _o("-tb", "read-xfer-big", "read with explicit VR big endian TS", "`--input dataset-be`", needs=BARE),
            _o(
                "-ti",
                "read-xfer-implicit",
                "read with implicit VR little endian TS",
                "`--input dataset-implicit`",
                needs=BARE,
            ),
        ),
    ),
    Section(
        "handling of defined length UN elements",
        1,
        _of(
            "un",
            "",
            _o("-uc", "retain-un", "retain elements as UN (default)", "default"),
            _o("+uc", "convert-un", "convert to real VR if known", "`--convert-un`"),
        ),
    ),
    Section(
        "signature commands",
        0,
        _of(
            "command",
            "",
            _o("", "verify", "verify all signatures (default)", _VERIFY),
            _o(
                "+s",
                "sign",
                "[p]rivate key file, [c]ertificate file: string\ncreate signature in main object",
                "`dsig sign --key P --cert C`",
                "key",
                "certificate",
            ),
            _o(
                "+si",
                "sign-item",
                "[k]eyfile, [c]ertfile, [i]tem location: string\ncreate signature in sequence item",
                "`dsig sign --key K --cert C --item I`",
                "key",
                "certificate",
                "location",
            ),
            _o(
                "+t",
                "insert-timestamp",
                "ts[q]file, ts[r]file [u]idfile: string\ninsert certified timestamp from ts response r\n"
                "from timestamp query q at signature UID u",
                "`dsig timestamp attach --query Q --response R --uid-file U`",
                "query",
                "response",
                "uid-file",
            ),
            _o("+r", "remove", "[s]ignature UID: string\nremove signature", "`dsig remove --uid S`", "uid"),
            _o("+ra", "remove-all", "remove all signatures from data set", "`dsig remove --all`"),
        ),
    ),
    Section("general signature options", 0),
    Section(
        "key and certificate file format",
        1,
        _of(
            "key-format",
            "",
            _o("-pem", "pem-keys", "read keys/certificates as PEM file (default)", "recognised"),
            _o("-der", "der-keys", "read keys/certificates as DER file", "recognised"),
        ),
    ),
    Section(
        "signature format",
        1,
        _of(
            "format",
            "",
            _o("-fn", "format-new", "use correct DICOM signature format (default)", "default"),
            _o("-fo", "format-old", "use old (pre-3.5.4) DCMTK signature format", "`--old-format`"),
        ),
    ),
    Section("signature verification options (only with --verify)", 0),
    Section(
        "signature verification",
        1,
        _of(
            "require",
            VERIFYING,
            _o(
                "+rv",
                "verify-if-present",
                "verify signatures if present, pass otherwise\n(default)",
                f"{_VERIFY}; 4 is the exit status of unsigned files, never 0",
            ),
            _o("+rg", "require-sig", "fail if no signature at all is present", f"{_VERIFY}: always"),
            _o(
                "+rc",
                "require-creator",
                "fail if no creator RSA signature is present",
                "`dsig verify --require creator`",
            ),
            _o(
                "+ru",
                "require-auth",
                "fail if no auth RSA signature is present",
                "`dsig verify --require authorization`",
            ),
            _o("+rs", "require-sr", "fail if no SR RSA signature is present", "`dsig verify --require sr`"),
        ),
    ),
    Section(
        "timestamp verification",
        1,
        _of(
            "timestamp-verification",
            VERIFYING,
            _o("+tv", "verify-ts", "verify certified timestamp if present (default)", "default"),
            _o("-tv", "ignore-ts", "ignore certified timestamps", "`dsig verify --ignore-timestamp`"),
            _o("+tr", "require-ts", "fail if no certified timestamp is present", "`dsig verify --require-timestamp`"),
        ),
    ),
    Section(
        "certification authority",
        1,
        (
            _o(
                "+cf",
                "add-cert-file",
                "[f]ilename: string\nadd trusted certificate file to cert store",
                "`dsig verify --trust-root F`",
                "file",
                needs=VERIFYING,
            ),
            _o(
                "+uf",
                "add-ucert-file",
                "[f]ilename: string\nadd untrusted intermediate certificate file",
                "`dsig verify --intermediate F`",
                "file",
                needs=VERIFYING,
            ),
            _o(
                "+cd",
                "add-cert-dir",
                "[d]irectory: string\nadd certificates in d to cert store",
                "`dsig verify --trust-root D`",
                "directory",
                needs=VERIFYING,
            ),
            _o(
                "+cr",
                "add-crl-file",
                "[f]ilename: string\nadd certificate revocation list file\n(implies --enable-crl-vfy)",
                "`dsig verify --crl F --require-revocation`",
                "file",
                needs=VERIFYING,
            ),
            _o(
                "+cl",
                "enable-crl-vfy",
                "enable CRL verification",
                "`dsig verify --require-revocation`",
                needs=VERIFYING,
            ),
        ),
    ),
    Section("signature creation options (only with --sign or --sign-item)", 0),
    Section(
        "private key password",
        1,
        _of(
            "password",
            SIGNING,
            _o(
                "+ps", "std-passwd", "prompt user to type password on stdin (default)", "default: asked on the terminal"
            ),
            _o(
                "+pw",
                "use-passwd",
                "[p]assword: string\nuse specified password",
                "`--passphrase-file`, `--passphrase-fd`, `--passphrase-env`: a command line is no place for secrets",
                "password",
            ),
            _o("-pw", "null-passwd", "use empty string as password", "`--passphrase-file` with an empty file"),
        ),
    ),
    Section(
        "digital signature profile",
        1,
        _of(
            "profile",
            SIGNING,
            _o("-pf", "profile-none", "don't enforce any signature profile (default)", "`--profile none` (default)"),
            _o("+pb", "profile-base", "enforce base RSA signature profile", "`--profile base`"),
            _o(
                "+pc",
                "profile-creator",
                "enforce creator RSA signature profile",
                "`--profile creator`",
                needs=MAIN_ONLY,
            ),
            _o(
                "+pa",
                "profile-auth",
                "enforce authorization signature profile",
                "`--profile authorization`",
                needs=MAIN_ONLY,
            ),
            _o("+pr", "profile-sr", "enforce SR RSA signature profile", "`--profile sr --purpose N`", needs=MAIN_ONLY),
            _o(
                "+pv",
                "profile-srv",
                "enforce SR RSA signature profile (verification)",
                "`--profile sr-verification --purpose 5`",
                needs=MAIN_ONLY,
            ),
        ),
    ),
    Section(
        "MAC algorithm",
        1,
        _of(
            "mac",
            SIGNING,
            _o("+mr", "mac-ripemd160", "use RIPEMD 160 (default)", "`--mac RIPEMD160 --allow-weak`"),
            _o("+ms", "mac-sha1", "use SHA-1 (not recommended)", "`--mac SHA1 --allow-weak`"),
            _o("+mm", "mac-md5", "use MD5 (not recommended)", "`--mac MD5 --allow-weak`"),
            _o("+m2", "mac-sha256", "use SHA-256", "`--mac SHA256` (default)"),
            _o("+m3", "mac-sha384", "use SHA-384", "`--mac SHA384`"),
            _o("+m5", "mac-sha512", "use SHA-512", "`--mac SHA512`"),
        ),
    ),
    Section(
        "signature purpose",
        1,
        (
            _o("+lp", "list-purposes", "show list of signature purpose codes and exit", "PS3.16 CID 7007"),
            *_of(
                "purpose",
                SIGNING,
                _o("-sp", "no-sig-purpose", "do not add signature purpose (default)", "default"),
                _o(
                    "+sp",
                    "sig-purpose",
                    "[p]urpose code: integer (1..18)\nadd digital signature purpose code p",
                    "`--purpose P`",
                    "code",
                ),
            ),
        ),
    ),
    Section(
        "tag selection",
        1,
        (
            _o(
                "-t",
                "tag",
                '[t]ag: "gggg,eeee" or dictionary name\nsign only specified tag\n'
                "(this option can be specified multiple times)",
                "`--tag T`",
                "tag",
            ),
            *_of(
                "tag-file",
                "",
                _o(
                    "-tf",
                    "tag-file",
                    "[f]ilename: string\nread list of tags from text file",
                    "`--tag-file F`",
                    "file",
                ),
            ),
        ),
    ),
    Section("timestamp creation options (only with --sign or --sign-item)", 0),
    Section(
        "timestamp creation",
        1,
        _of(
            "timestamp",
            SIGNING,
            _o("-ts", "timestamp-off", "do not create timestamp (default)", "default"),
            _o(
                "+ts",
                "timestamp-file",
                "[t]sq-filename, [u]id-filename: string\ncreate timestamp query file t and uid file u",
                "`dsig timestamp query`, after signing",
                "query",
                "uid-file",
            ),
        ),
    ),
    Section(
        "timestamp MAC algorithm (only with --timestamp-file)",
        1,
        _of(
            "timestamp-mac",
            STAMPING,
            _o("+tm2", "ts-mac-sha256", "use SHA-256 (default)", "`dsig timestamp query --mac SHA256` (default)"),
            _o("+tm3", "ts-mac-sha384", "use SHA-384", "`dsig timestamp query --mac SHA384`"),
            _o("+tm5", "ts-mac-sha512", "use SHA-512", "`dsig timestamp query --mac SHA512`"),
            _o("+tmr", "ts-mac-ripemd160", "use RIPEMD 160", "`dsig timestamp query --mac RIPEMD160`"),
            _o("+tms", "ts-mac-sha1", "use SHA-1 (not recommended)", "`dsig timestamp query --mac SHA1`"),
            _o("+tmm", "ts-mac-md5", "use MD5 (not recommended)", "`dsig timestamp query --mac MD5`"),
        ),
    ),
    Section(
        "timestamp query nonce options (only with --timestamp-file)",
        1,
        _of(
            "timestamp-nonce",
            STAMPING,
            _o("+tn", "ts-use-nonce", "include random nonce (default)", "default"),
            _o("-tn", "ts-no-nonce", "do not include nonce", "`dsig timestamp query --no-nonce`"),
        ),
    ),
    Section(
        "timestamp certificate inclusion options (only with --timestamp-file)",
        1,
        _of(
            "timestamp-certificate",
            STAMPING,
            _o("+tc", "ts-request-cert", "request TSA certificate in timestamp (default)", "default"),
            _o(
                "-tc",
                "ts-no-cert",
                "do not request TSA certificate in timestamp",
                "`dsig timestamp query --no-cert-req`",
            ),
        ),
    ),
    Section(
        "timestamp policy options (only with --timestamp-file)",
        1,
        _of(
            "timestamp-policy",
            STAMPING,
            _o("-tp", "ts-no-policy", "do not specify ts policy (default)", "default"),
            _o(
                "+tp",
                "ts-policy",
                "[p]olicy-OID: string\nrequest timestamp policy p",
                "`dsig timestamp query --policy P`",
                "policy",
            ),
        ),
    ),
    Section("output options", 0),
    Section(
        "output transfer syntax",
        1,
        _of(
            "write-xfer",
            "",
            _o("+t=", "write-xfer-same", "write with same TS as input (default)", "default"),
            _o("+te", "write-xfer-little", "write with explicit VR little endian TS", "`--transfer-syntax explicit`"),
            _o("+tb", "write-xfer-big", "write with explicit VR big endian TS", "`--transfer-syntax big`"),
            _o("+ti", "write-xfer-implicit", "write with implicit VR little endian TS", "`--transfer-syntax implicit`"),
        ),
    ),
    Section(
        "length encoding in sequences and items",
        1,
        _of(
            "lengths",
            "",
            _o(
                "+e",
                "length-explicit",
                "write with explicit lengths (default)",
                "`--lengths explicit`; the default of dsig is to keep what the file has",
            ),
            _o("-e", "length-undefined", "write with undefined lengths", "`--lengths undefined`"),
        ),
    ),
    Section(
        "other output options",
        1,
        _of(
            "dump",
            SIGNING,
            _o(
                "+d",
                "dump",
                "[f]ilename: string\ndump byte stream fed into the MAC codec to file\n"
                "(only with --sign or --sign-item)",
                "`--dump F`",
                "file",
            ),
        ),
    ),
)

OPTIONS: tuple[Option, ...] = tuple(option for section in SECTIONS for option in section.options)
BY_NAME: dict[str, Option] = {name: o for o in OPTIONS for name in (o.short, o.long) if name}
