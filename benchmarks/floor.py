"""What is left of signing and verifying files when nothing is known of DICOM: the least any Python could take.

    python benchmarks/floor.py PROCESSES sign DIRECTORY OUTPUT
    python benchmarks/floor.py PROCESSES verify DIRECTORY

The processes share the files: each reads a file, hashes it and signs the digest or verifies a signature with the
benchmarks' RSA key; signing writes a copy, synced to disk as dsig does it. No elements, no rules, no trust, no report.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from measure import KEY


def main(processes: int, verb: str, directory: Path, output: Path | None = None) -> None:
    """Do all files."""
    key = load_pem_private_key(Path(KEY).read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    public, padding, prehashed = key.public_key(), PKCS1v15(), Prehashed(SHA256())
    signature = key.sign(hashlib.sha256(b"").digest(), padding, prehashed)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if output is not None:
        output.mkdir()
    children = []
    for number in range(processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        for path in files[number::processes]:
            data = path.read_bytes()
            digest = hashlib.sha256(data).digest()
            if verb == "verify":  # of nothing: it takes as long
                public.verify(signature, hashlib.sha256(b"").digest(), padding, prehashed)
                continue
            value = key.sign(digest, padding, prehashed)
            assert output is not None
            with (output / path.name).open("wb") as file:
                file.write(data)
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
        os._exit(0)
    for child in children:
        if os.waitpid(child, 0)[1]:
            raise SystemExit("a process failed")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:]))
