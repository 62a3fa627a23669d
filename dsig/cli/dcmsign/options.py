"""Every option of dcmsign (the newest, 3.7.0+), as data: parser, help text and migration page are made of this."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = [
    "BARE",
    "BY_NAME",
    "MAIN_ONLY",
    "OPTIONS",
    "SECTIONS",
    "SIGNING",
    "STAMPING",
    "VERIFYING",
    "Option",
    "Section",
]

VERIFYING, SIGNING, MAIN_ONLY, STAMPING, BARE = "verifying", "signing", "main-only", "stamping", "bare"
"""Conditions of `request`: what must be asked for besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option."""

    short: str
    """Such as `+cf`, or empty."""
    long: str
    values: tuple[str, ...] = ()
    """Names of the values that follow, in order."""
    help: str
    """As the help text has it; a line end is one there."""
    group: str = ""
    """Of the options of one group the rightmost counts; without a group it can be repeated or is a switch."""
    needs: str = ""
    """A condition without which it is an error, or empty."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the help text with its options."""

    title: str
    options: tuple[Option, ...] = ()
    level: int = 1
    """0: main heading, 1: heading below one."""


def _option(usage: str, text: str, *, needs: str = "") -> Option:
    """An option as it is written, its values behind it (`+cf --add-cert-file file`), and its help."""
    short, dashes, rest = usage.rpartition("--")
    name, *values = rest.split()
    return Option(short=short.strip(), long=dashes + name, values=tuple(values), help=text, needs=needs)


def _choice(group: str, *options: Option, needs: str = "") -> tuple[Option, ...]:
    """Options of which the rightmost counts; `needs` is for those that say nothing of their own."""
    return tuple(replace(option, group=group, needs=option.needs or needs) for option in options)


SECTIONS: tuple[Section, ...] = (
    Section(
        "general options",
        (
            _option("-h --help", "print this help text and exit"),
            _option("--version", "print version information and exit"),
            _option("--arguments", "print expanded command line arguments"),
            *_choice(
                "log",
                _option("-q --quiet", "quiet mode, print no warnings and errors"),
                _option("-v --verbose", "verbose mode, print processing details"),
                _option("-d --debug", "debug mode, print debug information"),
            ),
            *_choice(
                "log-level",
                _option(
                    "-ll --log-level level",
                    "[l]evel: string constant\n(fatal, error, warn, info, debug, trace)\nuse level l for the logger",
                ),
            ),
            *_choice(
                "log-config", _option("-lc --log-config file", "[f]ilename: string\nuse config file f for the logger")
            ),
        ),
        level=0,
    ),
    Section("input options", level=0),
    Section(
        "input file format",
        _choice(
            "read",
            _option("+f --read-file", "read file format or data set (default)"),
            _option("+fo --read-file-only", "read file format only"),
            _option("-f --read-dataset", "read data set without file meta information"),
        ),
    ),
    Section(
        "input transfer syntax",
        _choice(
            "read-xfer",
            _option("-t= --read-xfer-auto", "use TS recognition (default)"),
            _option("-td --read-xfer-detect", "ignore TS specified in the file meta header"),
            _option("-te --read-xfer-little", "read with explicit VR little endian TS", needs=BARE),
            _option("-tb --read-xfer-big", "read with explicit VR big endian TS", needs=BARE),
            _option("-ti --read-xfer-implicit", "read with implicit VR little endian TS", needs=BARE),
        ),
    ),
    Section(
        "handling of defined length UN elements",
        _choice(
            "un",
            _option("-uc --retain-un", "retain elements as UN (default)"),
            _option("+uc --convert-un", "convert to real VR if known"),
        ),
    ),
    Section(
        "signature commands",
        _choice(
            "command",
            _option("--verify", "verify all signatures (default)"),
            _option(
                "+s --sign key certificate",
                "[p]rivate key file, [c]ertificate file: string\ncreate signature in main object",
            ),
            _option(
                "+si --sign-item key certificate location",
                "[k]eyfile, [c]ertfile, [i]tem location: string\ncreate signature in sequence item",
            ),
            _option(
                "+t --insert-timestamp query response uid-file",
                "ts[q]file, ts[r]file [u]idfile: string\ninsert certified timestamp from ts response r\n"
                "from timestamp query q at signature UID u",
            ),
            _option("+r --remove uid", "[s]ignature UID: string\nremove signature"),
            _option("+ra --remove-all", "remove all signatures from data set"),
        ),
        level=0,
    ),
    Section("general signature options", level=0),
    Section(
        "key and certificate file format",
        _choice(
            "key-format",
            _option("-pem --pem-keys", "read keys/certificates as PEM file (default)"),
            _option("-der --der-keys", "read keys/certificates as DER file"),
        ),
    ),
    Section(
        "signature format",
        _choice(
            "format",
            _option("-fn --format-new", "use correct DICOM signature format (default)"),
            _option("-fo --format-old", "use old (pre-3.5.4) DCMTK signature format"),
        ),
    ),
    Section("signature verification options (only with --verify)", level=0),
    Section(
        "signature verification",
        _choice(
            "require",
            _option("+rv --verify-if-present", "verify signatures if present, pass otherwise\n(default)"),
            _option("+rg --require-sig", "fail if no signature at all is present"),
            _option("+rc --require-creator", "fail if no creator RSA signature is present"),
            _option("+ru --require-auth", "fail if no auth RSA signature is present"),
            _option("+rs --require-sr", "fail if no SR RSA signature is present"),
            needs=VERIFYING,
        ),
    ),
    Section(
        "timestamp verification",
        _choice(
            "timestamp-verification",
            _option("+tv --verify-ts", "verify certified timestamp if present (default)"),
            _option("-tv --ignore-ts", "ignore certified timestamps"),
            _option("+tr --require-ts", "fail if no certified timestamp is present"),
            needs=VERIFYING,
        ),
    ),
    Section(
        "certification authority",
        (
            _option(
                "+cf --add-cert-file file",
                "[f]ilename: string\nadd trusted certificate file to cert store",
                needs=VERIFYING,
            ),
            _option(
                "+uf --add-ucert-file file",
                "[f]ilename: string\nadd untrusted intermediate certificate file",
                needs=VERIFYING,
            ),
            _option(
                "+cd --add-cert-dir directory",
                "[d]irectory: string\nadd certificates in d to cert store",
                needs=VERIFYING,
            ),
            _option(
                "+cr --add-crl-file file",
                "[f]ilename: string\nadd certificate revocation list file\n(implies --enable-crl-vfy)",
                needs=VERIFYING,
            ),
            _option("+cl --enable-crl-vfy", "enable CRL verification", needs=VERIFYING),
        ),
    ),
    Section("signature creation options (only with --sign or --sign-item)", level=0),
    Section(
        "private key password",
        _choice(
            "password",
            _option("+ps --std-passwd", "prompt user to type password on stdin (default)"),
            _option("+pw --use-passwd password", "[p]assword: string\nuse specified password"),
            _option("-pw --null-passwd", "use empty string as password"),
            needs=SIGNING,
        ),
    ),
    Section(
        "digital signature profile",
        _choice(
            "profile",
            _option("-pf --profile-none", "don't enforce any signature profile (default)", needs=SIGNING),
            _option("+pb --profile-base", "enforce base RSA signature profile", needs=SIGNING),
            _option("+pc --profile-creator", "enforce creator RSA signature profile"),
            _option("+pa --profile-auth", "enforce authorization signature profile"),
            _option("+pr --profile-sr", "enforce SR RSA signature profile"),
            _option("+pv --profile-srv", "enforce SR RSA signature profile (verification)"),
            needs=MAIN_ONLY,
        ),
    ),
    Section(
        "MAC algorithm",
        _choice(
            "mac",
            _option("+mr --mac-ripemd160", "use RIPEMD 160 (default)"),
            _option("+ms --mac-sha1", "use SHA-1 (not recommended)"),
            _option("+mm --mac-md5", "use MD5 (not recommended)"),
            _option("+m2 --mac-sha256", "use SHA-256"),
            _option("+m3 --mac-sha384", "use SHA-384"),
            _option("+m5 --mac-sha512", "use SHA-512"),
            needs=SIGNING,
        ),
    ),
    Section(
        "signature purpose",
        (
            _option("+lp --list-purposes", "show list of signature purpose codes and exit"),
            *_choice(
                "purpose",
                _option("-sp --no-sig-purpose", "do not add signature purpose (default)"),
                _option(
                    "+sp --sig-purpose code", "[p]urpose code: integer (1..18)\nadd digital signature purpose code p"
                ),
                needs=SIGNING,
            ),
        ),
    ),
    Section(
        "tag selection",
        (
            _option(
                "-t --tag tag",
                '[t]ag: "gggg,eeee" or dictionary name\nsign only specified tag\n'
                "(this option can be specified multiple times)",
            ),
            *_choice(
                "tag-file", _option("-tf --tag-file file", "[f]ilename: string\nread list of tags from text file")
            ),
        ),
    ),
    Section("timestamp creation options (only with --sign or --sign-item)", level=0),
    Section(
        "timestamp creation",
        _choice(
            "timestamp",
            _option("-ts --timestamp-off", "do not create timestamp (default)"),
            _option(
                "+ts --timestamp-file query uid-file",
                "[t]sq-filename, [u]id-filename: string\ncreate timestamp query file t and uid file u",
            ),
            needs=SIGNING,
        ),
    ),
    Section(
        "timestamp MAC algorithm (only with --timestamp-file)",
        _choice(
            "timestamp-mac",
            _option("+tm2 --ts-mac-sha256", "use SHA-256 (default)"),
            _option("+tm3 --ts-mac-sha384", "use SHA-384"),
            _option("+tm5 --ts-mac-sha512", "use SHA-512"),
            _option("+tmr --ts-mac-ripemd160", "use RIPEMD 160"),
            _option("+tms --ts-mac-sha1", "use SHA-1 (not recommended)"),
            _option("+tmm --ts-mac-md5", "use MD5 (not recommended)"),
            needs=STAMPING,
        ),
    ),
    Section(
        "timestamp query nonce options (only with --timestamp-file)",
        _choice(
            "timestamp-nonce",
            _option("+tn --ts-use-nonce", "include random nonce (default)"),
            _option("-tn --ts-no-nonce", "do not include nonce"),
            needs=STAMPING,
        ),
    ),
    Section(
        "timestamp certificate inclusion options (only with --timestamp-file)",
        _choice(
            "timestamp-certificate",
            _option("+tc --ts-request-cert", "request TSA certificate in timestamp (default)"),
            _option("-tc --ts-no-cert", "do not request TSA certificate in timestamp"),
            needs=STAMPING,
        ),
    ),
    Section(
        "timestamp policy options (only with --timestamp-file)",
        _choice(
            "timestamp-policy",
            _option("-tp --ts-no-policy", "do not specify ts policy (default)"),
            _option("+tp --ts-policy policy", "[p]olicy-OID: string\nrequest timestamp policy p"),
            needs=STAMPING,
        ),
    ),
    Section("output options", level=0),
    Section(
        "output transfer syntax",
        _choice(
            "write-xfer",
            _option("+t= --write-xfer-same", "write with same TS as input (default)"),
            _option("+te --write-xfer-little", "write with explicit VR little endian TS"),
            _option("+tb --write-xfer-big", "write with explicit VR big endian TS"),
            _option("+ti --write-xfer-implicit", "write with implicit VR little endian TS"),
        ),
    ),
    Section(
        "length encoding in sequences and items",
        _choice(
            "lengths",
            _option("+e --length-explicit", "write with explicit lengths (default)"),
            _option("-e --length-undefined", "write with undefined lengths"),
        ),
    ),
    Section(
        "other output options",
        _choice(
            "dump",
            _option(
                "+d --dump file",
                "[f]ilename: string\ndump byte stream fed into the MAC codec to file\n"
                "(only with --sign or --sign-item)",
            ),
            needs=SIGNING,
        ),
    ),
)

OPTIONS: tuple[Option, ...] = tuple(option for section in SECTIONS for option in section.options)
BY_NAME: dict[str, Option] = {name: o for o in OPTIONS for name in (o.short, o.long) if name}
