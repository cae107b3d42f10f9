"""Webhooks by the Standard Webhooks specification: what is sent, and one attempt to send it."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx
from standardwebhooks import Webhook

from services.notifier.channels.addresses import AddressPolicy, AddressRefusedError, GuardedNetwork, Resolver, resolve
from services.notifier.channels.answer import MAX_DETAIL, Answer
from shared import tracing
from shared.domain.delivery import DueDelivery, EventMessage

MAX_BODY_BYTES = 20_000


class UrlRefusedError(Exception):
    """A URL that webhooks are not sent to; the message says why."""


def body_of(message: EventMessage) -> str:
    """``{"type", "timestamp", "data": {"job_id", "metadata", …the event's own data}}``, below 20 kB."""
    data = dict(message.data)
    if "detail" in data:
        data["detail"] = str(data["detail"])[:MAX_DETAIL]
    data |= {"job_id": str(message.job_id), "metadata": message.metadata}
    body = _to_json(message, data)
    if len(body.encode()) < MAX_BODY_BYTES:
        return body
    return _to_json(message, {**data, "metadata": {}, "metadata_omitted": True})


def _to_json(message: EventMessage, data: dict[str, Any]) -> str:
    told = {"type": message.kind.value, "timestamp": message.occurred_at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def signed_headers(message_id: str, secrets: Sequence[str], body: str, now: datetime) -> dict[str, str]:
    """The three headers by which the receiver knows the message is ours, fresh and, by its id, not a repeat.

    Signed with each secret, so that a receiver that knows only one of two verifies it all the same.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, now, body) for secret in secrets),
    }


class WebhookChannel:
    """Sends webhooks. Never follows a redirect, never uses a proxy, never reads an answer's body."""

    def __init__(self, policy: AddressPolicy, *, timeout_s: float, resolver: Resolver = resolve) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._ssl = httpx.create_ssl_context()

    def send(self, due: DueDelivery) -> Answer:
        """One attempt, over within the time-out. Does not raise: whatever happens is an answer."""
        at, started = datetime.now(UTC), time.monotonic()

        def answer(**what: Any) -> Answer:
            return Answer(at, (time.monotonic() - started) * 1000, **what)

        try:
            status, retry_after_s = self._post(due, at)
        except (UrlRefusedError, AddressRefusedError) as error:
            return answer(error=str(error), refused=True)
        except Exception as error:  # the network's faults, mostly; but any other, not counted, would be tried forever
            return answer(error=f"{type(error).__name__}: {error}"[:MAX_DETAIL])
        return answer(status=status, retry_after_s=retry_after_s)

    def _post(self, due: DueDelivery, now: datetime) -> tuple[int, float | None]:
        if not isinstance(due.message, EventMessage):
            raise UrlRefusedError("Only events are told by webhook.")
        url = parsed_url(due.url)
        body = body_of(due.message)
        headers = [
            ("host", url.netloc.decode("ascii")),
            ("content-type", "application/json"),
            ("user-agent", "Paraphe-Webhooks"),
            *signed_headers(str(due.message.event_id), due.secrets, body, now).items(),
            *tracing.headers_onward(),
        ]
        network = GuardedNetwork(self._policy, self._timeout_s, self._resolver)
        with (
            httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=network) as pool,
            pool.stream("POST", _target(url), headers=headers, content=body.encode()) as response,
        ):
            return response.status, retry_after_s(response.headers, now)


def parsed_url(url: str) -> httpx.URL:
    """The URL, if it is one to send to: http or https, with a host and without user or password."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UrlRefusedError(f"The URL is not valid: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise UrlRefusedError("The URL is neither http nor https.")
    if parsed.userinfo:
        raise UrlRefusedError("The URL carries a user name or password.")
    if not parsed.raw_host:
        raise UrlRefusedError("The URL names no host.")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise UrlRefusedError("The URL names an impossible port.")
    return parsed


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def retry_after_s(headers: list[tuple[bytes, bytes]], now: datetime) -> float | None:
    """Seconds from now by ``Retry-After``, given in seconds or as a date; None when absent or not understood."""
    text = next((value.decode("latin-1").strip() for name, value in headers if name.lower() == b"retry-after"), None)
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        return max((moment.astimezone(UTC) - now).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None
