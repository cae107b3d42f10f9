"""The review queue: who is served what, in which order, and never two the same."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, update

from services.gateway.correction_schemas import NextReviewOut
from shared.db.keys import Scope
from shared.db.tables import review_claims
from shared.domain.detection import Box, Detection, Kind, Page
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import succeed

BOXES = {"boxes": [{"box": {"x": 10, "y": 10, "width": 20, "height": 20}}]}


@pytest.fixture
def key(make_key: MakeKey) -> Key:
    return make_key(Scope.SUBMIT, Scope.READ, Scope.REVIEW)


def page(*confidences: float, number: int = 1, kind: Kind = Kind.SIGNATURE) -> Page:
    found = (
        Detection(f"p{number}-{index}", kind, one, Box(10, 10, 20, 20)) for index, one in enumerate(confidences, 1)
    )
    return Page(number, 200, 300, tuple(found))


def examined(client: httpx.Client, engine: Engine, *pages: Page) -> str:
    """A job with these pages; thresholds are 0.5 and 0.25."""
    job_id = str(submit(client).json()["id"])
    succeed(engine, job_id, pages)
    return job_id


def served(client: httpx.Client, **wanted: Any) -> list[tuple[str, int]]:
    answer = client.post("/v1/review/next", json={"count": 10, **wanted})
    assert answer.status_code == 200, answer.text
    NextReviewOut.model_validate(answer.json())
    return [(one["job_id"], one["page"]) for one in answer.json()["pages"]]


def correct(client: httpx.Client, job_id: str, number: int, body: dict[str, Any]) -> None:
    answer = client.put(f"/v1/jobs/{job_id}/pages/{number}/correction", json=body, headers={"If-Match": '"0"'})
    assert answer.status_code == 200, answer.text


def test_only_pages_that_hang_on_a_person_nearest_the_threshold_first(client: httpx.Client, engine: Engine) -> None:
    far = examined(client, engine, page(0.3))
    examined(client, engine, page(0.9, 0.4))  # signed as it is
    examined(client, engine, page(0.1))  # unsigned even so
    examined(client, engine, page(0.4, kind=Kind.STAMP))
    near = examined(client, engine, page(number=1), page(0.45, 0.3, number=2), page(0.2, number=3))
    assert served(client) == [(near, 2), (far, 1)]
    assert served(client, count=1) == [(near, 2)]
    answer = client.post("/v1/review/next", json={"count": 1}).json()
    assert (answer["waiting"], answer["pages"][0]["confidence"]) == (2, 0.45)
    assert answer["pages"][0]["unsure"] == ["p2-1", "p2-2"]


def test_two_reviewers_are_never_served_the_same_page(
    gateway: GatewayProcess, client: httpx.Client, engine: Engine, make_key: MakeKey
) -> None:
    jobs = [examined(client, engine, page(0.4)) for _ in range(6)]
    reviewers = [make_key(Scope.REVIEW) for _ in range(3)]

    def ask(reviewer: Key) -> list[tuple[str, int]]:
        with gateway.client(reviewer) as own:
            return served(own, count=2)

    with ThreadPoolExecutor(3) as pool:
        shares = list(pool.map(ask, reviewers))
    assert [len(share) for share in shares] == [2, 2, 2]
    assert {job for share in shares for job, _ in share} == set(jobs)
    assert served(client) == []
    assert ask(reviewers[0]) == shares[0], "asking again gives the same pages"


def test_a_claim_runs_out(gateway: GatewayProcess, client: httpx.Client, engine: Engine, make_key: MakeKey) -> None:
    job_id = examined(client, engine, page(0.4))
    assert served(client) == [(job_id, 1)]
    with gateway.client(make_key(Scope.REVIEW)) as colleague:
        assert served(colleague) == []
        with engine.begin() as connection:
            connection.execute(update(review_claims).values(expires_at=func.now() - timedelta(seconds=1)))
        assert served(colleague) == [(job_id, 1)]
        assert served(client) == []


def test_a_skipped_page_is_somebody_elses(
    gateway: GatewayProcess, client: httpx.Client, engine: Engine, make_key: MakeKey
) -> None:
    first, second = (examined(client, engine, page(one)) for one in (0.45, 0.4))
    assert served(client, count=1) == [(first, 1)]
    assert served(client, count=1, skip=[{"job_id": first, "page": 1}]) == [(second, 1)]
    with gateway.client(make_key(Scope.REVIEW)) as colleague:
        assert served(colleague) == [(first, 1)]


def test_a_corrected_page_leaves_and_takes_the_rest_of_a_decided_document_along(
    client: httpx.Client, engine: Engine
) -> None:
    decided = examined(client, engine, page(0.4), page(0.3, number=2))
    assert served(client) == [(decided, 1), (decided, 2)]
    correct(client, decided, 1, BOXES)
    assert served(client) == []
    open_still = examined(client, engine, page(0.4), page(0.3, number=2))
    correct(client, open_still, 1, {"boxes": [], "no_signature": True})
    assert served(client) == [(open_still, 2)]


def test_documents_erased_while_pages_are_served(
    gateway: GatewayProcess, client: httpx.Client, engine: Engine, make_key: MakeKey
) -> None:
    jobs = [examined(client, engine, page(0.45 - index / 100)) for index in range(15)]
    reviewers = [make_key(Scope.REVIEW) for _ in range(3)]

    def ask(reviewer: Key) -> set[int]:
        with gateway.client(reviewer) as own:
            return {own.post("/v1/review/next", json={"count": 10}).status_code for _ in range(15)}

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, reviewer) for reviewer in reviewers]
        erased = [client.delete(f"/v1/jobs/{job_id}").status_code for job_id in jobs]
        assert [one.result() for one in asking] == [{200}] * 3
    assert set(erased) == {204}
    assert served(client) == []


def test_strangers_see_nothing_and_readers_may_not_ask(
    gateway: GatewayProcess, client: httpx.Client, engine: Engine, make_key: MakeKey
) -> None:
    examined(client, engine, page(0.4))
    with gateway.client(make_key(*Scope, client="other")) as stranger:
        assert stranger.post("/v1/review/next", json={}).json() == {"pages": [], "waiting": 0}
    with gateway.client(make_key(Scope.READ)) as reader:
        assert reader.post("/v1/review/next", json={}).status_code == 403
