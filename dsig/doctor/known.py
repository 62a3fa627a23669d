"""Values that others computed, for plugins to repeat."""

from __future__ import annotations

import hashlib
from base64 import b64decode

__all__ = ["ABC", "MESSAGE_DIGEST", "SIGNATURES"]

ABC = {
    "MD5": "900150983cd24fb0d6963f7d28e17f72",
    "RIPEMD160": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    "SHA1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "SHA224": "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "SHA256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "SHA384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "SHA512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "SHA512_224": "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    "SHA512_256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "SHA3_224": "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    "SHA3_256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "SHA3_384": "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    "SHA3_512": "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
    "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}
"""Digests of the three bytes `abc`, by the terms of (0400,0015): the examples of FIPS 180 and 202, RFC 1321, RIPEMD."""

MESSAGE_DIGEST = hashlib.sha256(b"dsig plugins doctor").digest()

SIGNATURES = {
    "ECDSA with P-256": (
        b64decode(
            "MIIBeTCCAR+gAwIBAgIUEsZ3MGkjE2vdPZBKdYn+jea6cVIwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGZG9jdG9yMCAXDTI2MTEy"
            "MjE1NDEwNFoYDzIxMjYxMDI5MTU0MTA0WjARMQ8wDQYDVQQDDAZkb2N0b3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARmq+MK"
            "cCm56wOGAGYdPhQZO+WcTnMqlb/nFY/0kHCdW9aaLU0UsDwsnwazANnDAYnCbzotdIZNuHKDLm7T/evto1MwUTAdBgNVHQ4EFgQU"
            "78z23SjzSHS/QFgT1ZFxIqh+E0UwHwYDVR0jBBgwFoAU78z23SjzSHS/QFgT1ZFxIqh+E0UwDwYDVR0TAQH/BAUwAwEB/zAKBggq"
            "hkjOPQQDAgNIADBFAiEA3glq9Keossw5u0f5Lykyqy3ztqcun+33K1GxxrYACdUCIGnStczZGIi4+cFdNaeodYbUcaRNtxTsk/Ml"
            "HkvK7+fb"
        ),
        b64decode("MEUCIBfHEW5DkgsTSln14fCDKyEgUF8FBFOUe7l+rKyw1ImHAiEAhQDbnLT5Mbjpcb7nQkOG1sR0ACsJeCY+P4GN/bXGjVs="),
    ),
    "RSASSA-PKCS1-v1_5 with 2048 bits": (
        b64decode(
            "MIIDBTCCAe2gAwIBAgIUG+8EODHpJzKT/cGybpDl/ctovf4wDQYJKoZIhvcNAQELBQAwETEPMA0GA1UEAwwGZG9jdG9yMCAXDTI2"
            "MTEyMjE1NDEwNVoYDzIxMjYxMDI5MTU0MTA1WjARMQ8wDQYDVQQDDAZkb2N0b3IwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEK"
            "AoIBAQDYWkcEflcHl7QxROxxlXBBMNr7oAj7fSgziDSNOi7BkzoGxFE63qe5h1czakimehZvyXZGqfC58aMAa995B4oNG2MotdcF"
            "emSW7CL5UEZ5feFCGdQJYZneV+5lRWSadcBXz46MCOAmJj6mVmhrw3gFvbV4YQUMf+QAe5S4UJqc8MIIvjW+Dpm+eOU4NESF4rVl"
            "ZEU9JbUQKglESlI4LOdVNr6r9HPpwkW6JU9bKbXkKj9OqyoPfbSe0ghcqIH3uE9XVbco486SBEUnS/vEqXJycrzhFarZ31ZLBvNc"
            "2Y83JUQMGNbwV5s4kLMN0p2WQO18iFGgQ98/Eixgb9dm5rHRAgMBAAGjUzBRMB0GA1UdDgQWBBR/0Ne02tIAlFc2uQl35ub8OLWg"
            "HjAfBgNVHSMEGDAWgBR/0Ne02tIAlFc2uQl35ub8OLWgHjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQAJlGM7"
            "Krmpk0GitaQ/EJ+5v7Dbb/dP6OxwhKcIRVcomSSqjErpMIdWoC9pxZ72InXxeGgCSRWxAx1OqagkU5kiLG9A7k4BVwJ2wUC9dq9Y"
            "kZ4GHPDC+GeocwlRCl4IqX/wrh3N4RxuViqoqkSJyZuFtUZtd80Eiljw3jazi1wKyFGvB7i/a5ADKHFBKuhFxyO8Di8zr6e3httV"
            "BlKqXcwaCfNriQkLf2PQ36agzIVaMtNZbHvPilTKp3fqTcDXXABjeAKF2hCzoHpZ/VqdIWfzx++SLEOlwd40mYVupitkT1SM35sT"
            "ECWjUr+MkiEm1/EX3lYikAc0KwgbR7Jh4Eo0"
        ),
        b64decode(
            "P+vuVPoRYSJRxO4AD/jUljnsF0jylwOAEIETD3005WOQUsJ1TgoOxTDErQqEntu0zQZR+b7wYRDFDiBb3L2DwYhOjunLXftl58Gw"
            "mAK2v+I0Ql3bm3ayVPdqdRTVmiA95UZLr9r7qu4ROPwN7Xe210yokL7i22I13L6c4RGP6+PCidBWJRdZZJ/aDnmlV9HfFO+M1k2l"
            "No+soBoCKwfMjRUmalAx9NdM6SlGST4ISDYzbW25LCRnm3/WbWPv8HPAD9JJQiu6TH0LO1o8tWx82Zd/fTJqsn69ygyC6k1eePFJ"
            "RNl/q68mtp4UiP3lVmGjiFliXBwCrPrzPbz3695P3A=="
        ),
    ),
}
"""Certificate, and signature over `MESSAGE_DIGEST` with SHA256, made by OpenSSL; the keys are lost."""
