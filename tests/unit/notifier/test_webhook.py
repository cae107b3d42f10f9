"""What a webhook says."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifier.channels.webhook import (
    MAX_BODY_BYTES,
    UrlRefusedError,
    body_of,
    parsed_url,
    retry_after_s,
    signed_headers,
)
from shared.domain.delivery import EventMessage
from shared.domain.events import EventKind

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET, OTHER_SECRET = "whsec_" + "c2VjcmV0" * 6, "whsec_" + "bmV3ZXIh" * 6


def told(data: dict[str, Any], metadata: dict[str, Any]) -> EventMessage:
    return EventMessage(UUID(int=3), EventKind.JOB_FAILED, NOW, UUID(int=4), data, metadata)


def test_the_body_has_type_timestamp_and_data() -> None:
    body = body_of(told({"code": "corrupt_document", "detail": "It is broken."}, {"client": "Zoë"}))
    assert json.loads(body) == {
        "type": "job.failed",
        "timestamp": "2026-05-04T12:00:00+00:00",
        "data": {
            "job_id": str(UUID(int=4)),
            "metadata": {"client": "Zoë"},
            "code": "corrupt_document",
            "detail": "It is broken.",
        },
    }


def test_an_events_data_cannot_pass_for_another_job() -> None:
    data = json.loads(body_of(told({"job_id": "forged", "metadata": "forged"}, {"a": 1})))["data"]
    assert (data["job_id"], data["metadata"]) == (str(UUID(int=4)), {"a": 1})


def test_the_body_stays_below_its_limit() -> None:
    data = json.loads(largest := body_of(told({"detail": "é" * 50_000}, {"text": "é" * 12_000})))["data"]
    assert len(largest.encode()) < MAX_BODY_BYTES
    assert (data["metadata"], data["metadata_omitted"]) == ({}, True)
    assert data["detail"].startswith("é")


def test_the_signature_verifies_with_the_library() -> None:
    body = body_of(told({}, {}))
    headers = signed_headers("msg_1", [SECRET], body, datetime.now(UTC))
    assert headers["webhook-id"] == "msg_1"
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)


def test_with_two_secrets_a_receiver_needs_only_one_of_them() -> None:
    body = body_of(told({}, {}))
    headers = signed_headers("msg_1", [OTHER_SECRET, SECRET], body, datetime.now(UTC))
    for known in (SECRET, OTHER_SECRET):
        assert Webhook(known).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3RoZXI=").verify(body, headers)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("9" * 400, 999_999_999.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after_s([(b"Retry-After", header.encode("latin-1"))], NOW) == seconds


def test_no_retry_after() -> None:
    assert retry_after_s([(b"Date", b"x")], NOW) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://user@example.com/",
        "https://:secret@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "http://",
        "http://[::1",
        "http://example.com:99999/",
        "nonsense",
        "",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(UrlRefusedError):
        parsed_url(url)


@pytest.mark.parametrize("url", ["http://example.com", "https://example.com:8443/a?b=c#d", "https://bücher.example/"])
def test_urls_that_are_taken(url: str) -> None:
    assert parsed_url(url).raw_host.isascii()
