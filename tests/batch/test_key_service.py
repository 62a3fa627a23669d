"""The key that many workers share."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

from batch_files import PKI

import dsig
from dsig.batch.key_service import served
from dsig.plugins import default


def test_a_worker_that_dies_while_it_connects_is_no_reason_to_keep_others_waiting():
    plugins = default()
    spec = plugins.mac_algorithms.spec("SHA256")
    with (
        dsig.open_key(str(PKI / "rsa2048.key.pem"), certificate=str(PKI / "rsa2048.pem"), plugins=plugins) as key,
        served(key, plugins) as shared,
    ):
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as half:
                half.connect(shared.signer.address)
        with socket.socket(socket.AF_UNIX) as half:  # knows no secret
            half.connect(shared.signer.address)
            half.recv(100)
            half.sendall(b"\0\0\0\4none")
        with ThreadPoolExecutor(4) as threads:  # each has a connection of its own
            signed = [threads.submit(shared.signer.sign_digest, bytes([n]) * 32, spec) for n in range(12)]
            values = [one.result(timeout=600) for one in signed]
        for number, value in enumerate(values):
            assert value == key.signer.sign_digest(bytes([number]) * 32, spec), "PKCS#1 v1.5 is deterministic"
