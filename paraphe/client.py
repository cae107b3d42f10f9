"""Paraphe for Python programs.

>>> from paraphe import Client
>>> with Client("http://127.0.0.1:8000", "pk_…") as paraphe:
...     job = paraphe.wait(paraphe.submit("contract.pdf"))
...     print(job.result.verdict, job.result.count)
"""

import json
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from paraphe.answers import Job, JobEvent, Key, NewKey, job_from_json, key_from_json, new_key_from_json
from paraphe.api_errors import ServerUnreachableError, WaitTimeoutError
from paraphe.event_stream import follow
from paraphe.notification_answers import (
    Delivery,
    Subscription,
    alert_from_json,
    delivery_from_json,
    subscription_from_json,
)
from paraphe.transport import Transport, id_step
from shared.domain.alert import Alert

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
_LONGEST_POLL_S = 30.0
_LONGEST_WAIT_S = 60

PriorityName = Literal["interactive", "normal", "bulk"]


class Client:
    """A server and a key. Safe to share between threads; use it as a context manager, or call ``close``.

    ``base_url`` and ``api_key`` default to the environment's PARAPHE_URL and PARAPHE_API_KEY. Faults of the network
    and refusals for now (429, 503) are tried again up to ``retries`` times; sending a document again is safe, because
    every submission carries an idempotency key. ``first_retries``, where given, is the number of tries again while
    nothing at all has ever listened at the address. ``events`` goes on asking until nothing was heard for ten minutes.
    ``on_unreachable`` is told why the server could not be reached before it is tried again; any thread may call it.
    All methods raise ParapheApiError for what the server refuses, ServerUnreachableError when there is no answer and
    ForeignAnswerError when it is not one of Paraphe's.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 4,
        first_retries: int | None = None,
        on_unreachable: Callable[[ServerUnreachableError], None] | None = None,
    ) -> None:
        self._transport = Transport(
            base_url or os.environ.get("PARAPHE_URL") or DEFAULT_URL,
            api_key or os.environ.get("PARAPHE_API_KEY"),
            timeout_s=timeout_s,
            retries=retries,
            first_retries=first_retries,
            on_unreachable=on_unreachable,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._transport.base_url

    def submit(
        self,
        document: Path | str | bytes,
        *,
        filename: str | None = None,
        model: str | None = None,
        priority: PriorityName | None = None,
        requirements: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        callback_url: str | None = None,
        training_consent: bool = False,
        wait_s: float = 0.0,
        idempotency_key: str | None = None,
    ) -> Job:
        """Send a document (a path, or its bytes) to be examined.

        ``requirements``: ``{"min_signatures": 2, "zones": [{"page": -1, "box": [0, 0.6, 1, 1], "min": 1}]}``.
        ``training_consent``: whether models may be trained with the document once a person has corrected it.
        ``wait_s`` (up to 60) lets the server answer with the outcome if it comes in time. Give your own
        ``idempotency_key`` to make a submission repeatable across runs of your program.
        """
        options = _options(model, priority, requirements, metadata, callback_url)
        options.update({"training_consent": "true"} if training_consent else {})
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        if wait_s > 0:
            # In whole seconds, as the header has it: another text would be ignored.
            headers["Prefer"] = f"wait={min(_LONGEST_WAIT_S, math.ceil(wait_s))}"
        name = filename or ("document" if isinstance(document, bytes) else readable_name(Path(document)))
        # A pipe has no length and can be read once only.
        source = document if isinstance(document, bytes) or Path(document).is_file() else Path(document).read_bytes()
        with ExitStack() as files:

            def build() -> Mapping[str, Any]:
                content = source if isinstance(source, bytes) else files.enter_context(Path(source).open("rb"))
                return {"files": {"file": (name, content)}, "data": options, "headers": headers}

            return self._transport.ask(job_from_json, "POST", "/v1/jobs", answer_within_s=wait_s, build=build)

    def submit_uploaded(self, upload_id: str, *, idempotency_key: str | None = None, **options: Any) -> Job:
        """Examine what ``upload`` has sent, once: it is used up with this job.

        ``options`` as for ``submit``: model, priority, requirements, …
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = {"upload_id": upload_id, **options}
        return self._transport.ask(job_from_json, "POST", "/v1/jobs", build=lambda: {"json": body, "headers": headers})

    def upload(self, document: Path | str) -> str:
        """Send a large file straight to the object store; returns the id for ``submit_uploaded``."""
        path = Path(document)
        body = {"filename": readable_name(path)}
        upload_id, url = self._transport.ask(
            lambda ticket: (str(ticket["id"]), str(ticket["url"])), "POST", "/v1/uploads", build=lambda: {"json": body}
        )
        self._transport.put_elsewhere(url, path)
        return upload_id

    def job(self, job_id: str, *, wait_s: float = 0.0) -> Job:
        """One job as it stands, or as it stands once it has its outcome, at most ``wait_s`` (up to 60) later."""
        query = {"wait": f"{wait_s:g}"} if wait_s else {}
        path = f"/v1/jobs/{id_step(job_id)}"
        return self._transport.ask(job_from_json, "GET", path, answer_within_s=wait_s, build=lambda: {"params": query})

    def wait(self, job: Job | str, *, timeout_s: float | None = None) -> Job:
        """Wait for a job's outcome and return the job with it.

        Raises:
            WaitTimeoutError: none within ``timeout_s``.
        """
        if isinstance(job, Job) and job.is_final:
            return job
        job_id = job if isinstance(job, str) else job.id
        deadline = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
        while True:
            left = max(0.0, deadline - time.monotonic())
            current = self.job(job_id, wait_s=min(_LONGEST_POLL_S, round(left, 1)))
            if current.is_final:
                return current
            if time.monotonic() >= deadline:
                raise WaitTimeoutError(f"job {job_id} is still {current.status} after {timeout_s:g} s")

    def jobs(
        self,
        *,
        status: Sequence[str] = (),
        verdict: Sequence[str] = (),
        tone: Sequence[str] = (),
        created_from: datetime | None = None,
        created_until: datetime | None = None,
        metadata: Sequence[str] = (),
        page_size: int = 100,
    ) -> Iterator[Job]:
        """All jobs that match, newest first, fetched page by page as they are read.

        ``metadata`` entries are ``key`` (present) or ``key:value``.
        """
        query: dict[str, Any] = {"limit": page_size}
        named = {"status": list(status), "verdict": list(verdict), "tone": list(tone), "metadata": list(metadata)}
        query.update({name: values for name, values in named.items() if values})
        moments = {"created_from": created_from, "created_until": created_until}
        query.update({name: moment.isoformat() for name, moment in moments.items() if moment})
        return self._pages(job_from_json, "jobs", query)

    def _pages(self, read: Callable[[Any], T], name: str, query: dict[str, Any]) -> Iterator[T]:
        """The members of the list of that name, page after page."""

        def read_page(page: Any) -> tuple[list[T], str | None]:
            return [read(one) for one in page[name]], page.get("next_cursor")

        while True:
            members, cursor = self._transport.ask(read_page, "GET", f"/v1/{name}", build=lambda: {"params": query})
            yield from members
            if not cursor:
                return
            query["cursor"] = cursor

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that has no outcome yet."""
        path = f"/v1/jobs/{id_step(job_id)}/cancel"
        return self._transport.ask(job_from_json, "POST", path, repeatable=False)

    def replay(self, job_id: str) -> Job:
        """Give a failed job a new set of attempts."""
        path = f"/v1/jobs/{id_step(job_id)}/replay"
        return self._transport.ask(job_from_json, "POST", path, repeatable=False)

    def allow_training(self, job_id: str, allowed: bool) -> Job:
        """Say whether models may be trained with a document from now on."""
        body = {"training_consent": allowed}
        path = f"/v1/jobs/{id_step(job_id)}/training-consent"
        return self._transport.ask(job_from_json, "PUT", path, build=lambda: {"json": body})

    def erase(self, job_id: str) -> None:
        """Erase a job with its document, pages and results."""
        self._transport.delete(f"/v1/jobs/{id_step(job_id)}")

    def events(self, job_id: str) -> Iterator[JobEvent]:
        """A job's events from its first on, as they happen, until its outcome or erasure."""
        return follow(self._transport, job_id)

    def page_image(self, job_id: str, number: int, *, annotated: bool = False, width: int | None = None) -> bytes:
        """One page as PNG, with its detections drawn if ``annotated``; ``width`` in pixels."""
        query = {"annotated": str(annotated).lower(), **({"width": str(width)} if width else {})}
        path = f"/v1/jobs/{id_step(job_id)}/pages/{number}.png"
        answer = self._transport.request("GET", path, answer_within_s=30, build=lambda: {"params": query})
        if not answer.headers.get("Content-Type", "").startswith("image/png"):
            raise self._transport.foreign(answer)
        return answer.content

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        client: str | None = None,
        requests_per_minute: int | None = None,
    ) -> NewKey:
        """Make a key (needs the scope ``admin``), for your own client unless another is named."""
        body: dict[str, Any] = {"name": name, "scopes": list(scopes)}
        body.update({"client": client} if client else {})
        body.update({"requests_per_minute": requests_per_minute} if requests_per_minute else {})
        return self._transport.ask(
            new_key_from_json, "POST", "/v1/keys", repeatable=False, build=lambda: {"json": body}
        )

    def list_keys(self) -> list[Key]:
        """All keys, newest first."""
        return self._transport.ask(lambda body: [key_from_json(one) for one in body["keys"]], "GET", "/v1/keys")

    def revoke_key(self, key_id: str) -> None:
        """End a key at once."""
        self._transport.delete(f"/v1/keys/{id_step(key_id)}")

    def subscriptions(self) -> list[Subscription]:
        """Who is told of your client's events, beside callback URLs (needs the scope ``admin``, as do the next)."""
        return self._transport.ask(
            lambda body: [subscription_from_json(one) for one in body["subscriptions"]], "GET", "/v1/subscriptions"
        )

    def subscribe(
        self,
        *,
        url: str | None = None,
        email: str | None = None,
        kinds: Sequence[str] = (),
        language: str | None = None,
    ) -> Subscription:
        """Have a webhook or a mail address told of events; without ``kinds``, of outcomes."""
        given = {"url": url, "email": email, "kinds": list(kinds), "language": language}
        body = {name: value for name, value in given.items() if value}
        return self._transport.ask(
            subscription_from_json, "POST", "/v1/subscriptions", repeatable=False, build=lambda: {"json": body}
        )

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription at once."""
        self._transport.delete(f"/v1/subscriptions/{id_step(subscription_id)}")

    def rotate_webhook_secret(self, *, overlap_hours: int | None = None) -> tuple[str, datetime]:
        """Make a new secret; returns it and until when the one before signs beside it."""
        query = {} if overlap_hours is None else {"overlap_hours": overlap_hours}
        return self._transport.ask(
            lambda body: (str(body["webhook_secret"]), datetime.fromisoformat(body["previous_valid_until"])),
            "POST",
            "/v1/webhook-secret/rotate",
            repeatable=False,
            build=lambda: {"params": query},
        )

    def deliveries(self, *, state: Sequence[str] = (), to: str = "client", page_size: int = 100) -> Iterator[Delivery]:
        """What was sent or is to be, newest first. ``to="operators"``: notices to those who run the installation."""
        query: dict[str, Any] = {"limit": page_size, "to": to, **({"state": list(state)} if state else {})}
        return self._pages(delivery_from_json, "deliveries", query)

    def replay_delivery(self, delivery_id: str, *, to: str = "client") -> Delivery:
        """Send it once more, with all its attempts."""
        path = f"/v1/deliveries/{id_step(delivery_id)}/replay"
        return self._transport.ask(
            delivery_from_json, "POST", path, repeatable=False, build=lambda: {"params": {"to": to}}
        )

    def alerts(self, *, state: str | None = None, page_size: int = 100) -> Iterator[Alert]:
        """What Alertmanager has told of, newest first (needs the scope ``admin``)."""
        query: dict[str, Any] = {"limit": page_size, **({"state": state} if state else {})}
        return self._pages(alert_from_json, "alerts", query)


def readable_name(path: Path) -> str:
    """A file's name as text that can be sent and shown, also where its bytes are no UTF-8."""
    return path.name.encode("utf-8", "replace").decode()


def _options(
    model: str | None,
    priority: str | None,
    requirements: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
    callback_url: str | None,
) -> dict[str, str]:
    """The form fields of a submission; what was not given is left to the server's defaults."""
    fields = {
        "model": model,
        "priority": priority,
        "requirements": json.dumps(dict(requirements)) if requirements is not None else None,
        "metadata": json.dumps(dict(metadata)) if metadata is not None else None,
        "callback_url": callback_url,
    }
    return {name: value for name, value in fields.items() if value is not None}
