"""Getting a signature stamped: the question to a TSA, its answer held against the question, TSAs asked in order."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from dsig.arguments import as_annotated
from dsig.distrust import answered, blaming
from dsig.errors import DsigError, InputError, OutputError, PluginError, UsageError, Where
from dsig.hookspecs import (
    Imprint,
    TimestampFacts,
    TimestampQuery,
    TimestampRequest,
    TimestampResponse,
    TimestampVerifier,
    TimestampVerifierSpec,
)
from dsig.model import Finding, Status
from dsig.plugins import Plugins
from dsig.providers import Provider
from dsig.signature.timestamp import CMS_TSP
from dsig.timestamps.proof import examined, imprint_findings, verifier_for

__all__ = ["QueryOptions", "Stamp", "TsaOptions", "accepted", "encoded", "new_query", "read_query", "stamped"]

NONCE_BITS = 63
"""So that the nonce is a positive INTEGER of at most eight bytes, which every TSA takes."""
GRANTED, GRANTED_WITH_MODIFICATIONS = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions:
    """What a TSA is asked (RFC 3161 2.4.1)."""

    mac: str = "SHA256"
    """Hash of the imprint, by its MAC algorithm name."""
    policy: str = ""
    """Dotted; empty leaves it to the TSA."""
    nonce: bool = True
    certificate: bool = True
    """The TSA shall put its certificate into the token."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TsaOptions:
    """Which TSAs are asked, in this order, and how."""

    urls: tuple[str, ...]
    query: QueryOptions = QueryOptions()
    timeout: float = 30.0
    """Seconds for one attempt."""
    attempts: int = 3
    """For each TSA that is busy or cannot be reached."""
    pause: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""
    user: str = ""
    """For HTTP basic authentication."""
    password: str = field(default="", repr=False)
    client_certificate: str = ""
    """Path of a PEM file with certificate and unencrypted key, for TLS."""
    server_roots: str = ""
    """Path of a PEM file with roots for the TLS certificates of the TSAs; empty: those of the system."""
    allow_modifications: bool = False
    """Take tokens that the TSA granted with modifications."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token that answers its query."""

    token: bytes
    """DER."""
    facts: TimestampFacts
    findings: tuple[Finding, ...]
    """What the user should know: warnings."""
    source: str = ""
    """URL of the TSA, or empty."""


def new_query(value: bytes, options: QueryOptions, plugins: Plugins) -> TimestampQuery:
    """The question about a signature value (0400,0120) without its pad byte.

    Raises `UsageError` for an unknown hash or a policy that is no object identifier.
    """
    spec = plugins.mac_algorithms.spec(options.mac)
    running = plugins.new_mac(options.mac)
    running.update(value)
    return TimestampQuery(
        imprint=Imprint(spec.oid, running.digest()),
        policy=options.policy,
        nonce=secrets.randbits(NONCE_BITS) | 1 if options.nonce else None,
        certificate=options.certificate,
    )


def encoded(query: TimestampQuery, plugins: Plugins) -> bytes:
    """The question as the TSA wants it, DER. Raises `UsageError`."""
    verifier, provider = _verifier(plugins)
    try:
        with blaming(provider.origin, "writing a timestamp query", allow=(ValueError,)):
            der = verifier.encode_query(query)
    except ValueError as error:
        raise UsageError(f"no such timestamp can be asked for: {error}", code="timestamp-query") from None
    return answered(der, bytes, provider.origin, "writing a timestamp query")


def read_query(der: bytes, plugins: Plugins) -> TimestampQuery:
    """Raises `InputError` for anything but a query."""
    verifier, provider = _verifier(plugins)
    try:
        with blaming(provider.origin, "reading a timestamp query", allow=(ValueError,)):
            read = verifier.read_query(der)
    except ValueError as error:
        raise InputError(f"the timestamp query cannot be read: {error}", code="timestamp-query-unreadable") from None
    return answered(read, TimestampQuery, provider.origin, "reading a timestamp query")


def accepted(
    response: bytes,
    query: TimestampQuery,
    values: Sequence[bytes],
    plugins: Plugins,
    *,
    allow_modifications: bool = False,
    certificates: Sequence[bytes] = (),
) -> Stamp:
    """The token of a TSA's answer, held against the query and the signature `values` (without pad byte, and as stored).

    1. The TSA granted it, and granted what was asked.
    2. The token is right in itself; a TSA that was not asked for its certificate may have left it out.
    3. It repeats imprint, nonce and policy of the query, and the imprint is that of the signature.

    Whether the TSA is to be trusted is not asked here. Raises `InputError` for what is no response, else `UsageError`.
    """
    verifier, provider = _verifier(plugins)
    doing = "reading a timestamp response"
    try:
        with blaming(provider.origin, doing, allow=(ValueError,)):
            read = verifier.read_response(response)
    except ValueError as error:
        raise InputError(f"the TSA's response cannot be read: {error}", code="timestamp-response-unreadable") from None
    answer = answered(read, TimestampResponse, provider.origin, doing)
    findings: list[Finding] = []

    modified = answer.status == GRANTED_WITH_MODIFICATIONS
    if modified and allow_modifications:
        findings.append(_finding("timestamp-modified", "the TSA granted the timestamp with modifications"))
    elif answer.status != GRANTED or not answer.token:
        how = "granted it only with modifications" if modified else "refused"
        reason = f": {answer.reason}" if answer.reason else ""
        _refuse(f"the TSA {how} (status {answer.status}){reason}", code="timestamp-rejected")

    evidence = examined(provider, answer.token, certificates, plugins)
    facts = evidence.facts
    unasked = [f for f in evidence.findings if f.code == "timestamp-no-certificate" and not query.certificate]
    wrong = [f for f in evidence.findings if f.severity == "error" and f not in unasked]
    if facts is None or wrong or (evidence.status is not Status.PASSED and not unasked):
        what = wrong[0] if wrong else Finding("timestamp-unreadable", "the token cannot be judged")
        _refuse(f"the TSA's token cannot be used: {what.message}", code=what.code)
    findings += [f for f in evidence.findings if f.severity != "error"]
    findings += [_finding(f.code, f"{f.message}; verifying will need it") for f in unasked]

    if facts.imprint != query.imprint:
        _refuse("the token answers another query: its imprint is not the query's", code="timestamp-imprint")
    if query.nonce is not None and facts.nonce != query.nonce:
        _refuse("the token answers another query: its nonce is not the query's", code="timestamp-nonce")
    if query.policy and facts.policy != query.policy:
        _refuse(f"the token was made under policy {facts.policy}, not {query.policy} as asked", code="timestamp-policy")
    for finding in imprint_findings(facts.imprint, values, plugins):
        if finding.severity == "error":
            _refuse("query and token are not about this signature", code=finding.code)
        findings.append(finding)
    return Stamp(answer.token, facts, tuple(findings))


def stamped(values: Sequence[bytes], options: TsaOptions, plugins: Plugins) -> Stamp:
    """A token for the first of `values` from the first TSA that gives a good one; each is asked a query of its own.

    Raises `OutputError` naming every TSA and what it said if none does, `UsageError` if none can be asked.
    """
    if not options.urls:
        raise UsageError("no TSA was named", hint="give the URL of one")
    requests = [(url, _source_for(url, plugins)) for url in options.urls]
    said: list[str] = []
    for url, name in requests:
        query = new_query(values[0], options.query, plugins)
        request = TimestampRequest(
            url=url,
            query=encoded(query, plugins),
            timeout=options.timeout,
            attempts=options.attempts,
            pause=options.pause,
            user=options.user,
            password=options.password,
            client_certificate=options.client_certificate,
            server_roots=options.server_roots,
        )
        provider = plugins.timestamp_sources.provider(name)
        try:
            with blaming(provider.origin, "asking a TSA", secret=True):
                response = plugins.timestamp_sources.get(name).stamp(request)
            stamp = accepted(
                answered(response, bytes, provider.origin, "asking a TSA"),
                query,
                values,
                plugins,
                allow_modifications=options.allow_modifications,
            )
        except PluginError:
            raise
        except DsigError as error:
            if error.code == "timestamp-source":
                raise  # the request itself is wrong, and the next TSA would get the same
            said.append(f"{url}: {error.message}")
            continue
        return Stamp(stamp.token, stamp.facts, stamp.findings, url)
    raise OutputError(
        f"no TSA gave a timestamp, so nothing was written: {'; '.join(said)}",
        code="timestamp-unavailable",
        hint="try again later, or name another TSA",
    )


def _source_for(url: str, plugins: Plugins) -> str:
    """Name of the provider that serves the scheme. Raises `UsageError`."""
    scheme = url.partition(":")[0].lower()
    names = sorted({p.spec.name for p in plugins.timestamp_sources if scheme in p.spec.schemes})
    if not names:
        known = sorted({s for p in plugins.timestamp_sources for s in p.spec.schemes})
        raise UsageError(
            f"no plugin reaches TSAs by {scheme!r}",
            code="unknown-scheme",
            hint=f"write a URL such as https://tsa.example/; known schemes: {', '.join(known) or 'none'}",
        )
    if len(names) > 1:
        raise PluginError(f"the scheme {scheme!r} is claimed by {' and '.join(names)}", code="plugin-conflict")
    return names[0]


def _verifier(plugins: Plugins) -> tuple[TimestampVerifier, Provider[TimestampVerifierSpec]]:
    provider = verifier_for(CMS_TSP, plugins)
    if provider is None:
        raise PluginError(f"no plugin knows timestamps of type {CMS_TSP}", code="plugin-unavailable")
    return plugins.timestamp_verifiers.get(provider.spec.name), provider


def _finding(code: str, message: str) -> Finding:
    return Finding(code, message, clause="RFC 3161 2.4.2", severity="warning")


def _refuse(message: str, *, code: str) -> NoReturn:
    raise UsageError(message, code=code, where=Where(), hint="nothing was written")
