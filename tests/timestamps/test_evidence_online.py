"""What was fetched while collecting evidence is in it: nobody has to be there any more when it is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support import tsa
from support.pki import BASE
from trust.test_online import Server, World

from dsig.cli import main

pytestmark = pytest.mark.interop

TWENTY_YEARS_ON = "2046-11-22T00:00:00Z"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    yield made
    made.close()


@pytest.fixture
def stamps(web: Server, tmp_path: Path) -> tsa.Authority:
    """A TSA whose certificate says where its revocation list is."""
    made = tsa.Authority(tmp_path / "stamps", "Stamps")
    made.certificate("tsa", points=web.url("stamps.crl"))
    web.answers["stamps.crl"] = made.crl()
    return made


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


@pytest.mark.parametrize("stamped", [True, False], ids=["stamped", "not stamped"])
@pytest.mark.parametrize("kind", ["crl", "ocsp"])
def test_what_was_fetched_while_collecting_is_kept(
    web: Server, stamps: tsa.Authority, tmp_path: Path, kind: str, stamped: bool, capfd
):
    world = World(
        web.url("crl") if kind == "crl" else "",
        responder=web.url("ocsp") if kind == "ocsp" else "",
        issuer=web.url("issuer"),
    )
    web.answers |= {"crl": world.crl(), "ocsp": world.responder(), "issuer": world.inter.der}
    given, key, certificate, root = (tmp_path / name for name in ("in.dcm", "key.pem", "cert.pem", "root.pem"))
    key.write_bytes(world.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(world.signer.pem)
    root.write_bytes(world.root.pem)
    roots = ("--trust-root", root, "--tsa-root", stamps.root)
    evidence, renewed = tmp_path / "evidence", tmp_path / "renewed"
    with tsa.serving(stamps) as server:
        more = ("--timestamp", server.url) if stamped else ()
        assert run("sign", BASE / "ct.dcm", "-o", given, "--key", key, "--cert", certificate, *more) == 0
        collect = ("evidence", "collect", given, "-o", evidence, *roots, "--tsa", server.url)
        assert run(*collect) == 2, "nobody says who issued the signer's certificate"
        assert run(*collect, "--online", "--require-revocation") == 0
        assert run("evidence", "renew", evidence, "-o", renewed, "--tsa-root", stamps.root, "--tsa", server.url,
                   "--online") == 0  # fmt: skip
    asked = list(web.asked)
    assert "/issuer" in asked
    assert f"/{kind}" in asked
    assert asked.count(f"/{kind}") == 1, "once for verifying and keeping"
    web.answers.clear()

    offline = ("verify", given, *roots, "--format", "json", "--at", TWENTY_YEARS_ON)
    capfd.readouterr()
    assert run(*offline) == 1
    capfd.readouterr()
    for one in (evidence, renewed):
        assert run(*offline, "--evidence", one, "--require-revocation-chain") == 1, "who knows about the newest TSA?"
        capfd.readouterr()
        assert run(*offline, "--evidence", one, "--require-revocation") == 0
        [signature] = json.loads(capfd.readouterr().out)["files"][0]["signatures"]
        told = [f["message"] for f in signature["axes"]["trust"]["findings"] if f["code"] == "trust-not-revoked"]
        assert any(message.startswith(f"not revoked, says the {kind.upper()}") for message in told), told
    assert web.asked == asked, "nobody was asked again"

    # known to be good is what the lists in it say, for the TSAs too once they were stamped over
    kept = json.loads(renewed.read_bytes())
    assert len(kept["content"]["crls"]) + len(kept["content"]["ocsps"]) == 1 + stamped
    assert [len(entry["crls"]) for entry in kept["archive"]] == [0, 1]


def test_what_was_revoked_by_then_is_not_collected(web: Server, stamps: tsa.Authority, tmp_path: Path, capfd):
    world = World(web.url("crl"))
    web.answers["crl"] = world.crl(world.signer)
    given, key, certificate, root, inter = (tmp_path / n for n in ("in.dcm", "key.pem", "c.pem", "r.pem", "i.pem"))
    key.write_bytes(world.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path, holder in ((certificate, world.signer), (root, world.root), (inter, world.inter)):
        path.write_bytes(holder.pem)
    assert run("sign", BASE / "ct.dcm", "-o", given, "--key", key, "--cert", certificate) == 0
    with tsa.serving(stamps) as server:
        status = run("evidence", "collect", given, "-o", tmp_path / "evidence", "--trust-root", root, "--intermediate",
                     inter, "--tsa-root", stamps.root, "--tsa", server.url, "--online")  # fmt: skip
    assert (status, (tmp_path / "evidence").exists()) == (2, False)
    assert "was revoked" in capfd.readouterr().err
