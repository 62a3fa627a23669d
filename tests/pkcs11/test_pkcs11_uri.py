"""RFC 7512 URIs: the examples of the RFC, what p11-kit prints, and what must not be taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsig
from dsig_pkcs11.uri import TokenUri, parse, quote

# RFC 7512 section 3, those whose attributes concern a key source
RFC = {
    "pkcs11:": TokenUri(),
    "pkcs11:object=my-pubkey;type=public": TokenUri(object="my-pubkey", type="public"),
    "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
    "object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin": TokenUri(
        token="The Software PKCS#11 Softtoken",
        manufacturer="Snake Oil, Inc.",
        model="1.0",
        object="my-certificate",
        type="cert",
        id=bytes.fromhex("69953e5cf4bdec91"),
        serial="",
        pin_source="file:/etc/token_pin",
    ),
    "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11": TokenUri(
        object="my-sign-key", module_name="mypkcs11"
    ),
    "pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1": TokenUri(
        object="my-sign-key", module_path="/mnt/libmypkcs11.so.1"
    ),
    "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.": TokenUri(
        token="Software PKCS#11 softtoken", manufacturer="Snake Oil, Inc."
    ),
    "pkcs11:slot-description=Sun%20Metaslot": TokenUri(slot_description="Sun Metaslot"),
    "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;"
    "library-version=1.23": TokenUri(
        library_manufacturer="Snake Oil, Inc.", library_description="Soft Token Library", library_version=(1, 23)
    ),
    "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06": TokenUri(
        token="My token% created by Joe", library_version=(3, 0), id=bytes.fromhex("010203baddcafe040506")
    ),
    "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert": TokenUri(
        token="A name with a substring %;", object="my-certificate", type="cert"
    ),
    "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert": TokenUri(
        token="Name with a small A with acute: á", object="my-certificate", type="cert"
    ),
}


@pytest.mark.parametrize("text", RFC)
def test_examples_of_the_rfc(text):
    assert parse(text) == RFC[text]


def test_what_p11tool_prints():
    """Field notes section 4."""
    found = parse(
        "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=f7bc0123;token=dsig;id=%02;object=k;type=private"
    )
    assert found == TokenUri(
        model="SoftHSM v2", manufacturer="SoftHSM project", serial="f7bc0123", token="dsig", id=b"\2", object="k"
    )


def test_scheme_in_capitals_and_a_plus_that_is_a_plus():
    assert parse("PKCS11:token=a+b&c=d").token == "a+b&c=d"


def test_unknown_query_attributes_are_for_others():
    """RFC 7512 2.3: unlike those of the path, they select nothing."""
    assert parse("pkcs11:token=a?vendor-thing=1&module-name=x").module_name == "x"


@pytest.mark.parametrize(
    "text",
    [
        "file:x",
        "pkcs11",
        "pkcs11:token",
        "pkcs11:token=a;",
        "pkcs11:;token=a",
        "pkcs11:token=a;token=b",
        "pkcs11:token=a b",
        "pkcs11:token=a/b",
        "pkcs11:token=a%2",
        "pkcs11:token=a%zz",
        "pkcs11:token=%FF",
        "pkcs11:token=%00",
        "pkcs11:Token=a",
        "pkcs11:object-type=cert",
        "pkcs11:x-vendor=1",
        "pkcs11:type=certificate",
        "pkcs11:slot-id=one",
        "pkcs11:slot-id=",
        "pkcs11:slot-id=-1",
        "pkcs11:library-version=1.2.3",
        "pkcs11:token=a?module-path=/x&module-path=/y",
        "pkcs11:token=a?module-path",
        "pkcs11:token=a?module-pth=/x",
        "pkcs11:token=a?pin-sorce=file:x",
        "pkcs11:token=a?module-path=/a b",
        "pkcs11:token=a?module-path=/a;pin-source=b",
    ],
)
def test_what_is_not_as_the_rfc_has_it_is_refused(text):
    with pytest.raises(dsig.KeySourceError) as caught:
        parse(text)
    assert caught.value.code == "key-uri"
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=a?pin-value=47110815",
        "pkcs11:token=a;pin-value=47110815",
        "pkcs11:token=a?pin-source=file:x&pin-value=47110815",
        "pkcs11:token=a?pin-value=4711;47110815",
        "pkcs11:token=a?module-name=b&47110815",
        "pkcs11:token=a;47110815",
        "pkcs11:token=a;47110815=b",
        "pkcs11:token=a?pin-value=4711&0815=47110815",
        "pkcs11:token=a?pin-47110815=47110815",
    ],
)
def test_pin_is_refused_and_never_quoted(text):
    with pytest.raises(dsig.KeySourceError) as caught:
        parse(text)
    assert "47110815" not in f"{caught.value} {caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=a;pin-value=47110815",  # RFC 7512 2.3: no path attribute
        "pkcs11:token=a?pin-source=file:x&pin-value=47110815",  # 2.4: one or the other
        "pkcs11:token=a?pin-value=47110815&pin-value=47110815",
        "pkcs11:token=a?pin-value=4711 0815;47110815",
    ],
)
def test_who_insists_on_a_pin_in_the_uri_has_it_in_the_right_place(text):
    with pytest.raises(dsig.KeySourceError) as caught:
        parse(text, insecure_pin=True)
    assert "0815" not in f"{caught.value} {caught.value!r} {caught.value.hint}"


def test_pin_in_the_uri_of_who_insists():
    parsed = parse("pkcs11:token=a?pin-value=4711%200815%C3%A9+", insecure_pin=True)
    assert parsed.pin_value.reveal() == "4711 0815\xe9+"
    assert parsed.has_pin
    assert "4711" not in repr(parsed)


@given(token=st.text(min_size=1), label=st.text(min_size=1), identifier=st.binary(min_size=1))
def test_what_is_quoted_is_read_as_it_was(token, label, identifier):
    if "\0" in token + label:
        return
    try:
        (token + label).encode()
    except UnicodeEncodeError:
        return
    assert parse(quote(token=token, id=identifier, object=label)) == TokenUri(token=token, id=identifier, object=label)
