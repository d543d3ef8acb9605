"""From what came over the wire to a typed error: pure decisions, for every provider alike.

A status says what a failure is; a name in the provider's error envelope can refine it. A
failure is as permanent as its class says, or more so: `x-should-retry: false` is obeyed,
`x-should-retry: true` on a permanent failure is not, for money and access do not come back
by asking again.

Source:
    The providers' error references and the retry code of their SDKs; each row with its
    bytes is in fixtures/wire/openai_chat.toml.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from robotape.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    LLMConnectionError,
    LLMError,
    LLMTimeoutError,
    MalformedReplyError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    mark_not_started,
    mark_permanent,
    proves_not_started,
)
from robotape.http import (
    HttpConnectionError,
    HttpError,
    HttpReply,
    HttpTimeoutError,
    HttpTooLargeError,
)
from robotape.runtime import wall_clock
from robotape.secrets import redact

__all__ = [
    "envelope_error",
    "failed",
    "interrupted",
    "malformed",
    "page_text",
    "retry_after",
    "status_error",
    "transport_error",
]

# Names that say more than the status they come with.
_REFINED: dict[str, type[LLMError]] = {
    "billing_error": QuotaError,
    "billing_hard_limit_reached": QuotaError,
    "content_filter": ContentFilterError,
    "content_policy_violation": ContentFilterError,
    "context_length_exceeded": ContextLengthError,
    "contract_spend_limit_reached": QuotaError,
    "credit_balance_exhausted": QuotaError,
    "enforced_spend_limit_reached": QuotaError,
    "insufficient_quota": QuotaError,
    "linked_organization_billing_unavailable": QuotaError,
    "linked_organization_spend_limit_reached": QuotaError,
    "organization_spend_limit_exceeded": QuotaError,
    "organization_usage_limit_exceeded": QuotaError,
    "overloaded_error": OverloadedError,
    "project_spend_limit_exceeded": QuotaError,
    "server_is_overloaded": OverloadedError,
}
# Names that stand in for a status where there is none: in a 200, or within a stream.
_NAMED: dict[str, type[LLMError]] = {
    "api_error": ServerError,
    "authentication_error": AuthenticationError,
    "conflict_error": ServerError,
    "invalid_api_key": AuthenticationError,
    "invalid_request_error": BadRequestError,
    "model_not_found": BadRequestError,
    "not_found_error": BadRequestError,
    "permission_error": AuthenticationError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "request_too_large": BadRequestError,
    "server_error": ServerError,
    "slow_down": RateLimitError,
    "timeout_error": ServerError,
}
_STATUS: dict[int, type[LLMError]] = {
    401: AuthenticationError,
    402: QuotaError,
    403: AuthenticationError,
    408: ServerError,
    409: ServerError,
    425: ServerError,
    429: RateLimitError,
    501: BadRequestError,
    529: OverloadedError,
}
# Servers that give no code say it in words: vLLM, llama.cpp, Anthropic.
_TOO_LONG = re.compile(r"context (length|window|size)|prompt is too long", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title", re.IGNORECASE | re.DOTALL)
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "cf-ray")
_LONGEST = 500


def status_error(reply: HttpReply) -> LLMError:
    """The error an answer with an error status stands for."""
    envelope = _envelope(reply.body)
    if envelope is None:
        envelope = {"message": page_text(reply)}
    return _made(_class_of(reply.status, envelope), envelope, reply)


def envelope_error(payload: Mapping[str, Any], reply: HttpReply) -> LLMError:
    """The error that an envelope in an answer of status 200 stands for.

    Its code may be the status it should have had; one that says nothing known is a
    malformed reply, for the status promised an answer.
    """
    envelope = _unwrapped(payload) or {}
    code = str(envelope.get("code"))
    status = int(code) if code.isascii() and code.isdigit() and 400 <= int(code) <= 599 else 200
    return _made(_class_of(status, envelope), envelope, reply)


def transport_error(error: HttpError) -> LLMError:
    """The error for a request that brought no answer; raise it from the one given."""
    if isinstance(error, HttpTooLargeError):
        reply = error.reply
        kind = MalformedReplyError if reply.status < 400 else _class_of(reply.status, {})
        return failed(kind, str(error), reply)
    if isinstance(error, HttpTimeoutError):
        failure: LLMError = LLMTimeoutError(str(error))
    elif isinstance(error, HttpConnectionError):
        failure = LLMConnectionError(str(error))
    else:
        failure = BadRequestError(str(error), status=getattr(error, "status", None))
    return mark_not_started(failure) if proves_not_started(error) else failure


def failed(kind: type[LLMError], said: str, reply: HttpReply) -> LLMError:
    """Make an error that carries what the answer tells of itself.

    Args:
        kind: Its class.
        said: What is wrong; known secrets are taken out, and what exceeds 500 characters.
        reply: Gives status, request id, the wait asked for, and whether to ask again at all.
    """
    headers = reply.headers
    # Redacted before it is cut: half a secret would not be recognised.
    text = redact(said[: 2**16])[:_LONGEST]
    error = kind(
        f"HTTP {reply.status} from {reply.url.host}: {text}",
        status=reply.status,
        request_id=next((headers[name] for name in _REQUEST_IDS if name in headers), None),
        retry_after=retry_after(headers),
    )
    is_final = headers.get("x-should-retry", "").lower() == "false"
    return mark_permanent(error) if is_final else error


def malformed(reply: HttpReply, what: str) -> LLMError:
    """The error for an answer that is none, although its status promised one."""
    return failed(MalformedReplyError, what, reply)


def interrupted(reply: HttpReply, what: str) -> LLMError:
    """The error for a streamed answer that ended before its terminal marker."""
    return failed(StreamInterruptedError, what, reply)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks to wait.

    Milliseconds come before seconds, and those before a date, which counts from the
    answer's own `Date`: nobody's clock has to be right, and a recording stays true.

    Returns:
        Seconds > 0; None if there is no hint, or one that makes no sense.
    """
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _positive(text)
    if seconds is not None:
        return seconds
    then, now = _instant(text), _instant(headers.get("date"))
    if then is None:
        return None
    wait = then - (wall_clock() if now is None else now)
    return wait if wait > 0 else None


def page_text(reply: HttpReply) -> str:
    """What a body that is not JSON says, in a line."""
    text = reply.body[: 2**16].decode(errors="replace").strip()
    title = _TITLE.search(text)
    said = f"a web page: {title[1]}" if title else text
    return " ".join(said.split()) or "an empty body"


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def _instant(text: str | None) -> float | None:
    try:
        instant = parsedate_to_datetime(text or "")
        # HTTP dates are UTC, whether they say so or not.
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _envelope(body: bytes) -> Mapping[str, Any] | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _unwrapped(payload)


def _unwrapped(payload: object) -> Mapping[str, Any] | None:
    """The object with message, type and code; some servers send it bare, some only a text."""
    if not isinstance(payload, dict):
        return None
    inner = payload.get("error")
    if isinstance(inner, dict):
        return inner
    return {**payload, "message": inner} if isinstance(inner, str) else payload


def _class_of(status: int, envelope: Mapping[str, Any]) -> type[LLMError]:
    details = envelope.get("details")
    finest = details.get("error_code") if isinstance(details, dict) else None
    candidates = (finest, envelope.get("code"), envelope.get("type"))
    names = [name for name in candidates if type(name) is str]
    for name in names:
        if name in _REFINED:
            return _REFINED[name]
    if status in {400, 413, 422} and _TOO_LONG.search(str(envelope.get("message", ""))):
        return ContextLengthError
    if status in _STATUS:
        return _STATUS[status]
    if status >= 500:
        return ServerError
    if status >= 300:
        return BadRequestError
    return next((_NAMED[name] for name in names if name in _NAMED), MalformedReplyError)


def _made(kind: type[LLMError], envelope: Mapping[str, Any], reply: HttpReply) -> LLMError:
    said = envelope.get("message") or envelope.get("detail") or envelope.get("code")
    return failed(kind, str(said or "no reason given"), reply)
