"""The choice of a mechanism as a table: key type, MAC, what the token offers; what to do."""

from __future__ import annotations

import pytest

from dsig_pkcs11.mechanisms import Form, NoMechanism, Plan, choose

MACS = ("RIPEMD160", "MD5", "SHA1", "SHA256", "SHA384", "SHA512")
# Field notes sections 1 and 5: what these modules offer for signatures
SOFTHSM = {"RSA_PKCS", "RSA_X_509", "MD5_RSA_PKCS", "SHA1_RSA_PKCS", "SHA256_RSA_PKCS", "SHA384_RSA_PKCS"} | {
    *("SHA512_RSA_PKCS", "ECDSA", "DSA", "DSA_SHA1", "DSA_SHA256", "DSA_SHA512")
}
OPENCRYPTOKI = {"RSA_PKCS", "RSA_X_509", "SHA1_RSA_PKCS", "MD5_RSA_PKCS"}
HASHING_ONLY = {"SHA256_RSA_PKCS", "ECDSA_SHA256", "DSA_SHA256"}

DIGEST_INFO = Plan("RSA_PKCS", Form.DIGEST_INFO)
PADDED = Plan("RSA_X_509", Form.PADDED)


@pytest.mark.parametrize("mac", MACS)
@pytest.mark.parametrize(
    ("key_type", "offered", "expected"),
    [
        ("RSA", SOFTHSM, DIGEST_INFO),
        ("RSA", OPENCRYPTOKI, DIGEST_INFO),
        ("RSA", {"RSA_PKCS"}, DIGEST_INFO),
        ("RSA", {"RSA_X_509", "SHA256_RSA_PKCS"}, PADDED),
        ("EC", SOFTHSM, Plan("ECDSA", Form.DIGEST)),
        ("EC", {"ECDSA", "ECDSA_SHA256"}, Plan("ECDSA", Form.DIGEST)),
        ("DSA", SOFTHSM, Plan("DSA", Form.DIGEST)),
    ],
)
def test_a_finished_digest_is_signed(key_type, mac, offered, expected):
    assert choose(key_type, mac, offered) == expected


@pytest.mark.parametrize(
    ("key_type", "mac", "offered", "text"),
    [
        ("RSA", "SHA256", set(), "the token lacks CKM_RSA_PKCS or CKM_RSA_X_509"),
        ("RSA", "SHA256", HASHING_ONLY, "CKM_SHA256_RSA_PKCS hashes all the data itself"),
        ("RSA", "RIPEMD160", HASHING_ONLY, "the token lacks CKM_RSA_PKCS or CKM_RSA_X_509"),
        ("EC", "SHA256", OPENCRYPTOKI, "the token lacks CKM_ECDSA"),
        ("EC", "SHA256", HASHING_ONLY, "CKM_ECDSA_SHA256 hashes all the data itself"),
        ("DSA", "SHA256", {"ECDSA", "RSA_PKCS"}, "the token lacks CKM_DSA"),
        ("DSA", "SHA256", HASHING_ONLY, "CKM_DSA_SHA256 hashes all the data itself"),
        ("EC_EDWARDS", "SHA512", SOFTHSM, "EC_EDWARDS keys make no DICOM signatures"),
    ],
)
def test_where_nothing_fits_it_is_said_why(key_type, mac, offered, text):
    with pytest.raises(NoMechanism, match=text):
        choose(key_type, mac, offered)
