"""Exit codes, as the tool documents them."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What `dsig-dcmsign` returns; scripts rely on these numbers."""

    OK = 0
    COMMAND_LINE = 1
    """Also an unknown tag of --tag."""
    NO_CRYPTO = 5
    """A plugin is missing or broken."""
    INPUT = 20
    """The DICOM file, a key, a certificate or a CRL cannot be read."""
    NO_INPUT_NAME = 21
    TAG_FILE = 30
    TIMESTAMP_QUERY = 31
    TIMESTAMP_RESPONSE = 32
    UID_FILE = 33
    OUTPUT = 40
    """Also: no conversion to the transfer syntax wanted."""
    DUMP_FILE = 46
    REMOVAL = 83
    NO_SUCH_SIGNATURE = 84
    SIGNING = 85
    """A signature could not be made, whatever the reason."""
    TAG_FILE_SYNTAX = 86
    TIMESTAMP_MISMATCH = 87
    """The response does not fit the query or the signature."""
    NO_SIGNATURE = 100
    VERIFICATION = 101
    POLICY = 102
    """No signature meets the profile that is required."""
    INTERNAL = 70
    """A fault of this program, as with `dsig`."""
    INTERRUPTED = 130
    NO_READER = 141
    TERMINATED = 143
