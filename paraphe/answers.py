"""What the API answers, as typed values. The words and the box shapes are the domain's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.events import EventKind
from shared.domain.job import JobFailure, JobState, Priority
from shared.domain.json_forms import outcome_from_json
from shared.domain.verdict import RequirementOutcome, Verdict

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a succeeded job. In lists only ``verdict``, ``count`` and ``tone`` are told; the rest is empty.

    ``tone`` is that of the page with most colour, None for results from before it was measured.

    ``timings`` are milliseconds a stage: queued, fetched, rendered, inferred, recorded.
    """

    verdict: Verdict
    count: int
    requirements: tuple[RequirementOutcome, ...]
    model_name: str | None
    model_version: str | None
    timings: Mapping[str, float]
    pages: tuple[Page, ...]
    tone: Tone | None = None

    @property
    def confidence(self) -> float | None:
        """Of the surest detection, 0..1; None when nothing was found."""
        return max((found.confidence for page in self.pages for found in page.detections), default=None)


@dataclass(frozen=True, slots=True)
class Job:
    """One request to examine one document. ``raw`` is the JSON body as it came."""

    id: str
    status: JobState
    attempts: int
    model: str
    priority: Priority
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    filename: str | None
    metadata: Mapping[str, Any]
    error: JobFailure | None
    result: Result | None
    raw: Json

    @property
    def is_final(self) -> bool:
        """Whether it has its outcome."""
        return self.status.is_final

    @property
    def seconds(self) -> float | None:
        """From acceptance to outcome."""
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job. ``sequence`` orders a job's events."""

    id: str
    sequence: int
    kind: EventKind
    job_id: str
    occurred_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret."""

    id: str
    name: str
    client: str
    prefix: str
    scopes: tuple[str, ...]
    requests_per_minute: int
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. ``secret`` is shown this once; ``webhook_secret`` verifies what is delivered to its client."""

    key: Key
    secret: str
    webhook_secret: str | None


def job_from_json(body: Json) -> Job:
    """Read a job's body, whole or as in a list."""
    error = body.get("error")
    result = body.get("result")
    return Job(
        id=body["id"],
        status=JobState(body["status"]),
        attempts=body["attempts"],
        model=body["model"],
        priority=Priority(body["priority"]),
        created_at=datetime.fromisoformat(body["created_at"]),
        started_at=_moment(body.get("started_at")),
        finished_at=_moment(body.get("finished_at")),
        filename=(body.get("document") or {}).get("filename"),
        metadata=body.get("metadata") or {},
        error=JobFailure(error["code"], error["detail"]) if error else None,
        result=_result(result) if result else None,
        raw=body,
    )


def event_from_json(body: Json, sequence: int) -> JobEvent:
    """Read the data of one server-sent event whose id is ``sequence``."""
    return JobEvent(
        id=body["id"],
        sequence=sequence,
        kind=EventKind(body["kind"]),
        job_id=body["job_id"],
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        data=body.get("data") or {},
    )


def key_from_json(body: Json) -> Key:
    """Read a key as it is listed."""
    return Key(
        id=body["id"],
        name=body["name"],
        client=body["client"],
        prefix=body["prefix"],
        scopes=tuple(body["scopes"]),
        requests_per_minute=body["requests_per_minute"],
        created_at=datetime.fromisoformat(body["created_at"]),
        revoked_at=_moment(body.get("revoked_at")),
    )


def new_key_from_json(body: Json) -> NewKey:
    """Read the one answer that carries a key's secret."""
    return NewKey(key_from_json(body), body["key"], body.get("webhook_secret"))


def _result(body: Json) -> Result:
    model = body.get("model") or {}
    return Result(
        verdict=Verdict(body["verdict"]),
        count=body["count"],
        requirements=tuple(outcome_from_json(one) for one in body.get("requirements", ())),
        model_name=model.get("name"),
        model_version=model.get("version"),
        timings=body.get("timings") or {},
        pages=tuple(_page(page) for page in body.get("pages", ())),
        tone=_tone(body),
    )


def _page(body: Json) -> Page:
    found = tuple(_detection(one) for one in body["detections"])
    return Page(body["number"], body["width"], body["height"], found, _tone(body))


def _tone(body: Json) -> Tone | None:
    return Tone(body["tone"]) if body.get("tone") else None


def _detection(body: Json) -> Detection:
    return Detection(body["id"], Kind(body["kind"]), body["confidence"], Box(**body["box"]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
