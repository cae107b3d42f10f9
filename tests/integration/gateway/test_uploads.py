"""A large file goes straight to the object store and makes one job; nothing of it stays but what the job has."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, text

from services.gateway.accept import Caller, accept
from services.gateway.problems import Problem
from services.gateway.receive import Submission
from services.gateway.resources import Resources
from shared.db import uploads
from shared.db.keys import Scope
from shared.domain.job import JobOptions
from shared.objects import ObjectState, ObjectStore
from tests import loopback
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import object_name, submit
from tests.integration.gateway.workers import png, wait_for
from tests.servers import Servers


@pytest.fixture
def upload(client: httpx.Client) -> dict[str, Any]:
    """A file at its address, of which no job was made yet."""
    return put(client, png())


def put(client: httpx.Client, content: bytes) -> dict[str, Any]:
    ticket: dict[str, Any] = client.post("/v1/uploads", json={"filename": "large.png"}).json()
    assert loopback.request(ticket["method"], ticket["url"], content=content).status_code == 200
    return ticket


def make_job(client: httpx.Client, upload: dict[str, Any], key: str | None = None, **options: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/jobs", json={"upload_id": upload["id"], **options}, headers=headers)


def is_missing(answer: httpx.Response, status: int = 404) -> bool:
    return (answer.status_code, answer.json()["code"]) == (status, "upload_missing")


def expire(engine: Engine, upload: dict[str, Any]) -> None:
    """Its time is over, and the reconciler has been there."""
    with engine.begin() as connection:
        connection.execute(text("delete from uploads where id = :id"), {"id": upload["id"]})


def stored(store: ObjectStore, key: Key) -> set[str]:
    """Everything the store has of the client."""
    places = (f"{folder}/{key.row.client_id}/" for folder in ("uploads", "documents"))
    return {name for place in places for name, _ in store.listing(place)}


def test_an_upload_of_its_own_then_a_job(client: httpx.Client, engine: Engine, store: ObjectStore) -> None:
    ticket = client.post("/v1/uploads", json={"filename": "large.png"}).json()
    assert is_missing(make_job(client, ticket), 409)

    assert loopback.request(ticket["method"], ticket["url"], content=png()).status_code == 200
    answer = make_job(client, ticket)
    job = answer.json()
    assert answer.status_code == 202, job
    assert job["document"]["sha256"] == hashlib.sha256(png()).hexdigest()
    assert job["document"]["filename"] == "large.png"
    assert store.size(object_name(engine, job["id"])) == len(png())


def test_uploads_of_others_and_bad_uploads_are_refused(
    client: httpx.Client, gateway: GatewayProcess, make_key: MakeKey
) -> None:
    ticket = put(client, b"no document")
    assert make_job(client, ticket).json()["code"] == "unsupported_type"
    with gateway.client(make_key(Scope.SUBMIT, client="other")) as other:
        assert is_missing(make_job(other, ticket))


class TestOneJob:
    def test_what_the_job_is_made_of_is_its_own_and_goes_with_it(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine, store: ObjectStore, key: Key
    ) -> None:
        job_id = make_job(client, upload).json()["id"]
        assert stored(store, key) == {object_name(engine, job_id)}
        assert is_missing(make_job(client, upload))
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
        assert is_missing(make_job(client, upload))
        assert stored(store, key) == set()

    def test_of_several_requests_at_once_one_makes_it(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine, store: ObjectStore, key: Key
    ) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: make_job(client, upload), range(8)))
        accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        assert len(set(accepted)) == 1
        assert all(is_missing(answer) for answer in answers if answer.status_code != 202)
        assert stored(store, key) == {object_name(engine, accepted[0])}

    def test_a_request_that_comes_just_too_late_is_told_so(
        self,
        client: httpx.Client,
        upload: dict[str, Any],
        key: Key,
        in_process: Resources,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It has found the upload, and before it looks at the object another request makes the job."""
        look = in_process.objects.state

        def look_too_late(name: str) -> ObjectState:
            assert make_job(client, upload).status_code == 202
            return look(name)

        monkeypatch.setattr(in_process.objects, "state", look_too_late)
        late = Submission(None, JobOptions(), upload_id=UUID(upload["id"]))
        with pytest.raises(Problem, match="a job was made of it") as caught:
            accept(in_process, Caller(key.row.client_id, "late"), late)
        assert (caught.value.code, caught.value.status) == ("upload_missing", 404)

    def test_what_could_not_be_deleted_is_left_to_the_reconciler(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine, store: ObjectStore, servers: Servers
    ) -> None:
        """The store goes away between the copy and the deletion: while the transaction waits for its row."""
        with ThreadPoolExecutor(1) as pool, engine.connect() as connection, connection.begin():
            connection.execute(text("select from uploads where id = :id for update"), {"id": upload["id"]})
            answer = pool.submit(make_job, client, upload)
            wait_for(lambda: somebody_waits(engine))
            servers.seaweedfs.kill()
            connection.rollback()
            assert answer.result().status_code == 202
        servers.seaweedfs.start()
        with engine.begin() as connection:
            (due,) = uploads.take_expired(connection)
        assert (str(due.id), store.size(due.object_name)) == (upload["id"], len(png()))


class TestTheSameRequestAgain:
    @pytest.mark.parametrize("is_expired", [False, True])
    def test_gives_the_first_job_also_when_the_upload_is_gone(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine, is_expired: bool
    ) -> None:
        first = make_job(client, upload, "k", priority="bulk")
        if is_expired:
            expire(engine, upload)
        again = make_job(client, upload, "k", priority="bulk")
        assert (again.status_code, again.json()["id"]) == (202, first.json()["id"]), again.json()
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_many_times_at_once_makes_one_job(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine, store: ObjectStore, key: Key
    ) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: make_job(client, upload, "race"), range(8)))
        assert {answer.status_code for answer in answers} == {202}
        (job_id,) = {answer.json()["id"] for answer in answers}
        assert stored(store, key) == {object_name(engine, job_id)}

    def test_gives_it_for_the_same_file_sent_anew(self, client: httpx.Client, upload: dict[str, Any]) -> None:
        first = make_job(client, upload, "k").json()["id"]
        assert make_job(client, put(client, png()), "k").json()["id"] == first

    def test_is_another_one_with_other_options_or_another_upload(
        self, client: httpx.Client, upload: dict[str, Any], engine: Engine
    ) -> None:
        make_job(client, upload, "k")
        submit(client, Idempotency_Key="sent at once")
        other = put(client, png(colour="black"))
        refused = [make_job(client, upload, "k", priority="bulk"), make_job(client, other, "k")]
        expire(engine, other)
        refused += [
            make_job(client, other, "k"),
            make_job(client, {"id": str(uuid4())}, "k"),
            make_job(client, upload, "sent at once"),
        ]
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
        assert is_missing(make_job(client, upload, "another"))


def test_bytes_replaced_while_they_are_read_are_not_taken_for_those_that_were(
    client: httpx.Client, upload: dict[str, Any], engine: Engine, store: ObjectStore, key: Key
) -> None:
    """The gateway has hashed the upload and waits for the table of jobs when another file is PUT there."""
    with ThreadPoolExecutor(1) as pool:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("lock table jobs in access exclusive mode"))
            answer = pool.submit(make_job, client, upload, "k")
            wait_for(lambda: somebody_waits(engine))
            assert loopback.put(upload["url"], content=png(600, 800)).status_code == 200
        assert (answer.result().status_code, answer.result().json()["code"]) == (409, "upload_changed")
    assert stored(store, key) == {uploads.upload_object_name(key.row.client_id, UUID(upload["id"]))}
    again = make_job(client, upload, "k").json()
    assert again["document"]["size"] == store.size(object_name(engine, again["id"])) == len(png(600, 800))


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction waits for another's lock."""
    with engine.connect() as connection:
        return bool(connection.execute(text("select from pg_locks where not granted")).all())
