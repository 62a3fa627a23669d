"""Where `dsig-dcmsign` and the tool it stands in for differ on purpose; the page is generated and each row is shown.

`docs/dcmsign-differences.md` is made of this table, and `tests/interop/test_dcmsign_differences.py` has a test for
every row that runs both programs. What is refused for the sake of security is another list: it says what we do, and
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DIFFERENCES", "REFUSED", "Difference"]


@dataclass(frozen=True)
class Difference:
    """One row."""

    name: str
    about: str
    peer: str
    """What dcmsign 3.6.7 does, as our tests see it."""
    ours: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "p521",
        "P-521 signatures of odd length",
        "cannot verify them, its own included: the pad byte is not taken off where the DER length has two bytes",
        "verifies them; signs again until the length is even",
    ),
    Difference(
        "odd-rsa",
        "RSA keys whose modulus has an odd number of bytes, such as 2040 bits",
        "cannot verify what they sign",
        "verifies it",
    ),
    Difference(
        "time-zone",
        "offset from UTC in Digital Signature DateTime, against the validity of the certificate",
        "ignores the offset: a signature made west of Greenwich with a new certificate is not yet valid",
        "compares moments",
    ),
    Difference(
        "padding",
        "trailing padding of text that is not canonical, in a signature over the bytes as they are stored",
        "hashes what it would have written, so that the signature does not match; versions differ in what that is",
        "takes the bytes as stored, then by either rule for padding, and says which matched",
    ),
    Difference(
        "compression",
        "pixel data compressed or decompressed after other elements were signed",
        "cannot verify such a signature",
        "verifies it: what was signed is unchanged",
    ),
    Difference(
        "lost-vrs",
        "pixel data signed as OB, and the file then written in implicit VR, which has no VRs",
        "takes the pixel data for OW, so that the signature does not match",
        "finds the VRs with which it matches, and says which",
    ),
    Difference(
        "profile-editions",
        "+rc, +ru and +rs: elements that one edition of the standard wants signed and another does not",
        "has the lists of 2019c, with the first of the overlay groups",
        "wants what every edition wants, in all overlay groups, and tells what else one of them would",
    ),
    Difference(
        "deflated",
        "(0400,0010) of a signature in a deflated file, or in one without pixel data that named a compressed transfer"
        " syntax and is written in a native one",
        "names the transfer syntax of the input",
        "names explicit VR little endian, in which the MAC is made; each verifies the other's",
    ),
    Difference(
        "mac-id",
        "MAC ID Number of a new signature",
        "is the lowest that is free in the item",
        "is the lowest that is free in the instance, as PS3.3 has it",
    ),
    Difference(
        "nothing-to-sign",
        "an empty list of elements, or a DICOMDIR, in which no element can be signed",
        "signs; nobody can verify that",
        "ends with 85",
    ),
    Difference(
        "disorder",
        "signing a data set whose elements are out of order",
        "sorts them and signs",
        "ends with 85 and says where; such a file has to be repaired first",
    ),
    Difference(
        "vrs-lost-by-writing",
        "signing with +ti, or with explicit lengths in an implicit file, what will not be known by its VR there:"
        " private elements, OB where others find OW, sequences of unknown VR",
        "signs with the VR of the input; that cannot be verified in the output",
        "signs with the VR that is found in the output; ends with 85 where -t or +si asks for what has none there",
    ),
    Difference(
        "unknown-elements",
        "elements that its dictionaries do not have, private or newer ones, stored without their VR and then written"
        " with it",
        "stay UN and unsigned",
        "get their VR, if we know it, and are signed; in implicit VR they stay unsigned here too",
    ),
    Difference(
        "names",
        "-t and -tf with names of retired elements as in PS3.6, or of elements newer than its dictionary",
        "end with 1 or 86; retired elements have another name in its dictionary",
        "are understood, as are the names of the dictionary",
    ),
    Difference(
        "private-names",
        "-t and -tf with names of private elements from a dictionary in DCMDICTPATH",
        "are not found in the block that their creator reserved: 85",
        "are found there",
    ),
    Difference(
        "provider-url",
        "(0028,7FE0) Pixel Data Provider URL in a transfer syntax that has none",
        "cannot write the file: 40",
        "signs it like any element",
    ),
    Difference(
        "sr-verification",
        "+pr with purpose 5 and a list of tags, for a verified report",
        "adds what the profile wants of any signature",
        "ends with 85 unless the list has what a verification has to cover; +pv adds that",
    ),
    Difference(
        "group-lengths",
        "group lengths in the output",
        "are computed again",
        "are left out; they are retired",
    ),
    Difference(
        "unsigned-text",
        "padding of text that is not signed, in the output",
        "is made canonical",
        "stays as it is",
    ),
    Difference(
        "orphans",
        "items of the MAC Parameters Sequence that no signature refers to, with +ra",
        "stay",
        "go too",
    ),
    Difference(
        "side-files",
        "the files of +d and +ts, when the signature or the output cannot be made after all",
        "are left",
        "are not",
    ),
    Difference(
        "one-name",
        "+d or +ts with the name of the input or of the output",
        "writes one over the other",
        "ends with 46 or 85",
    ),
    Difference(
        "tag-numbers",
        "-t and -tf with a sign, or with numbers of more than four digits",
        "reads them as C does: the last four count",
        "ends with 1 or 86",
    ),
    Difference(
        "empty-data-set",
        "-f with an empty file",
        "finds no signature: 0",
        "ends with 20",
    ),
    Difference(
        "serial-number",
        "serial numbers of certificates beyond 64 bits, with -v",
        "are shown as -1",
        "are shown",
    ),
    Difference("digest", "the digest shown with -d", "decimal numbers without space", "hexadecimal"),
    Difference(
        "policy-names",
        "+tp with a name instead of an object identifier",
        "takes names that OpenSSL knows",
        "ends with 85: digits and dots only",
    ),
    Difference(
        "warnings",
        "signatures and files that pass, but not with dsig verify",
        "says nothing more",
        "adds a warning: `dsig verify would have said: …`",
    ),
)

REFUSED: tuple[str, ...] = (
    "attributes in a signature item that do not belong there: they would be hashed as if they stood in the data set",
    "elements that occur twice, at any level that a signature covers",
    "several MAC Parameters items with the number a signature refers to",
    "encapsulated pixel data whose fragments can be divided in more than one way",
    "signatures whose MAC leaves out what PS3.3 C.12.1.1.3.1.1 wants in it",
    "paths that rest on certificates signed with MD5 or SHA-1, which others than their authority can make",
    "paths to an authority that has expired, whatever a timestamp says about the signer's own certificate",
    "timestamps of authorities that are revoked or whose certificates are not for timestamps",
    "inserting a timestamp whose own signature is wrong",
    "verifying with fewer certificates or revocation lists than were named",
    "a password in the list of processes, as far as the system lets us take it away, and in every log",
)
"""One sentence each; refused by `dsig` and `dsig-dcmsign` alike."""
