"""The provider `rfc3161`: tokens, queries and responses as DER; `dsig.hookspecs.TimestampVerifier`."""

from __future__ import annotations

from collections.abc import Sequence

from asn1crypto import cms, core, tsp

from dsig.hookspecs import TimestampEvidence, TimestampQuery, TimestampResponse
from dsig.model import Finding, Status
from dsig.printable import printable
from dsig_timestamp.checks import judged
from dsig_timestamp.der import NotDerError, require_der
from dsig_timestamp.token import imprint, read_token

__all__ = ["Rfc3161"]

GRANTED = 0
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
"""What asn1crypto raises for bytes that are something else."""
_STATUS = ("granted", "granted_with_mods", "rejection", "waiting", "revocation_warning", "revocation_notification")


class _Response(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """TimeStampResp; the library's own insists on a token, which a TSA that refuses does not give."""

    _fields = [  # noqa: RUF012 - the library's way
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class Rfc3161:
    """Stateless, safe to share between threads."""

    def verify(self, token: bytes, certificates: Sequence[bytes]) -> TimestampEvidence:
        """Judge a token. A whole response in its place is taken apart, if the TSA granted it unchanged."""
        said: list[Finding] = []
        try:
            inner = self._unwrapped(token, said)
            return _with(judged(read_token(inner), certificates), said)
        except NotDerError as error:
            bad = Finding("timestamp-not-der", f"the timestamp is not in DER: {error}", clause="RFC 3161 3.4")
        except ValueError as error:
            bad = Finding("timestamp-unreadable", f"the timestamp cannot be read: {error}", clause="RFC 3161 2.4.2")
        return TimestampEvidence(Status.FAILED, None, (*said, bad))

    def _unwrapped(self, token: bytes, said: list[Finding]) -> bytes:
        """The token of a response that stands where a token should, or what was given."""
        try:
            response = self.read_response(token)
        except ValueError:
            return token
        said.append(
            Finding(
                "timestamp-response",
                "a whole response of the TSA stands where its token should",
                clause="RFC 3161 2.4.2",
                severity="warning",
            )
        )
        if response.status != GRANTED:
            said.append(
                Finding(
                    "timestamp-status",
                    f"the TSA did not grant what was asked: status {response.status} {response.reason}".rstrip(),
                    clause="RFC 3161 2.4.2",
                )
            )
        return response.token

    def encode_query(self, query: TimestampQuery) -> bytes:
        """DER of TimeStampReq."""
        fields: dict[str, object] = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": query.imprint.oid, "parameters": core.Null()},
                "hashed_message": query.imprint.digest,
            },
        }
        if query.policy:
            fields["req_policy"] = query.policy
        if query.nonce is not None:
            fields["nonce"] = query.nonce
        if query.certificate:
            fields["cert_req"] = True
        try:
            encoded = tsp.TimeStampReq(fields).dump()
        except _UNREADABLE as error:
            raise ValueError("it cannot be written as a query; is the policy an object identifier?") from error
        return bytes(encoded)

    def read_query(self, der: bytes) -> TimestampQuery:
        """Read TimeStampReq."""
        require_der(der)
        try:
            query = tsp.TimeStampReq.load(der, strict=True)
            if int(query["version"]) != 1:
                raise ValueError("version")
            policy = query["req_policy"]
            return TimestampQuery(
                imprint=imprint(query["message_imprint"]),
                policy=policy.dotted if policy.native is not None else "",
                nonce=query["nonce"].native,
                certificate=bool(query["cert_req"].native),
            )
        except _UNREADABLE as error:
            raise ValueError("it is no time-stamp query of RFC 3161") from error

    def read_response(self, der: bytes) -> TimestampResponse:
        """Read TimeStampResp; its token is not looked at."""
        require_der(der)
        try:
            response = _Response.load(der, strict=True)
            info = response["status"]
            status = int(info["status"])
            texts = [str(text) for text in info["status_string"].native or ()]
            texts += sorted(info["fail_info"].native or ())
            token = response["time_stamp_token"]
            return TimestampResponse(
                status, printable("; ".join(texts))[:300], b"" if isinstance(token, core.Void) else token.dump()
            )
        except _UNREADABLE as error:
            raise ValueError("it is no time-stamp response of RFC 3161") from error


def _with(evidence: TimestampEvidence, said: list[Finding]) -> TimestampEvidence:
    status = Status.FAILED if any(f.severity == "error" for f in said) else evidence.status
    return TimestampEvidence(status, evidence.facts, (*said, *evidence.findings))
