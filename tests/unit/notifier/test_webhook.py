"""What a webhook says."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from services.notifier.channels.webhook import (
    MAX_BODY_BYTES,
    UrlRefusedError,
    body_of,
    parsed_url,
    retry_after_s,
    signed_headers,
)
from shared.domain.delivery import DueDelivery
from shared.domain.events import EventKind

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0" * 6


def due(data: dict[str, Any], metadata: dict[str, Any]) -> DueDelivery:
    return DueDelivery(
        id=UUID(int=1),
        client_id=UUID(int=2),
        receiver="example.com",
        url="https://example.com/",
        attempt=1,
        secret=SECRET,
        event_id=UUID(int=3),
        kind=EventKind.JOB_FAILED,
        occurred_at=NOW,
        job_id=UUID(int=4),
        data=data,
        metadata=metadata,
    )


def test_the_body_has_type_timestamp_and_data() -> None:
    body = body_of(due({"code": "corrupt_document", "detail": "It is broken."}, {"client": "Zoë"}))
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
    data = json.loads(body_of(due({"job_id": "forged", "metadata": "forged"}, {"a": 1})))["data"]
    assert (data["job_id"], data["metadata"]) == (str(UUID(int=4)), {"a": 1})


def test_the_body_stays_below_its_limit() -> None:
    data = json.loads(largest := body_of(due({"detail": "é" * 50_000}, {"text": "é" * 12_000})))["data"]
    assert len(largest.encode()) < MAX_BODY_BYTES
    assert (data["metadata"], data["metadata_omitted"]) == ({}, True)
    assert data["detail"].startswith("é")


def test_the_signature_verifies_with_the_library() -> None:
    now = datetime.now(UTC)
    message = due({}, {})
    body = body_of(message)
    headers = signed_headers(message, body, now)
    assert headers["webhook-id"] == str(message.event_id)
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)


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
