"""Servers that go away, and the gateway's own end: nothing accepted is lost, nothing fails with a 500."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import Engine, select

from shared.db.tables import jobs
from tests.integration.gateway.conftest import GatewayProcess, Key, StartGateway
from tests.integration.gateway.test_events import stream
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import png, succeed, wait_for
from tests.servers import Servers


def ready(client: httpx.Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_without_broker_jobs_are_accepted_all_the_same(client: httpx.Client, servers: Servers) -> None:
    submit(client)
    servers.valkey.kill()
    started = time.monotonic()
    assert [submit(client).status_code for _ in range(3)] == [202] * 3
    assert time.monotonic() - started < 6
    status, body = ready(client)
    assert (status, body["status"], body["broker"]) == (200, "degraded", "unreachable")
    servers.valkey.start()
    wait_for(lambda: ready(client)[1]["status"] == "ready")
    assert submit(client).status_code == 202


def test_without_database_it_says_so_and_recovers(client: httpx.Client, servers: Servers) -> None:
    job_id = submit(client).json()["id"]
    servers.postgres.kill()
    for answer in (submit(client), client.get(f"/v1/jobs/{job_id}"), client.get("/v1/jobs")):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    status, body = ready(client)
    assert (status, body["database"], body["store"]) == (503, "unreachable", "ok")
    assert client.get("/healthz").status_code == 200
    servers.postgres.start()
    wait_for(lambda: client.get(f"/v1/jobs/{job_id}").status_code == 200)
    assert submit(client).status_code == 202


def test_without_object_store_it_says_so_and_recovers(client: httpx.Client, servers: Servers, engine: Engine) -> None:
    servers.seaweedfs.kill()
    answer = submit(client)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert "Retry-After" in answer.headers
    assert ready(client)[1]["store"] == "unreachable"
    with engine.connect() as connection:
        assert connection.execute(select(jobs.c.id)).all() == []
    servers.seaweedfs.start()
    wait_for(lambda: submit(client).status_code == 202)


def test_who_waits_hears_of_jobs_also_after_a_restart_of_the_database(
    narrow_client: httpx.Client, servers: Servers, engine: Engine
) -> None:
    # This gateway looks again only after a minute: what is tested is that it listens again.
    client = narrow_client
    with ThreadPoolExecutor(2) as pool:
        job_id = submit(client).json()["id"]
        early = pool.submit(client.get, f"/v1/jobs/{job_id}?wait=30")
        time.sleep(0.5)
        servers.postgres.restart()
        engine.dispose()
        wait_for(lambda: client.get(f"/v1/jobs/{job_id}").status_code == 200)
        time.sleep(1.5)
        late = pool.submit(client.get, f"/v1/jobs/{job_id}?wait=30")
        time.sleep(0.3)
        started = time.monotonic()
        succeed(engine, job_id)
        assert late.result().json()["status"] == early.result().json()["status"] == "succeeded"
        assert time.monotonic() - started < 5


def test_it_starts_while_everything_is_away(start_gateway: StartGateway, key: Key, servers: Servers) -> None:
    for server in servers.group.members:
        server.kill()
    gateway = start_gateway()
    with gateway.client(key) as client:
        assert ready(client)[0] == 503
        assert submit(client).status_code == 503
        for server in servers.group.members:
            server.start()
        wait_for(lambda: ready(client)[1]["status"] == "ready")
        assert submit(client).status_code == 202


class TestEnd:
    def test_waiting_ends_at_once_and_work_is_finished(self, start_gateway: StartGateway, key: Key) -> None:
        gateway = start_gateway()
        with gateway.client(key) as client, ThreadPoolExecutor(4) as pool:
            job_id = submit(client).json()["id"]
            poll = pool.submit(client.get, f"/v1/jobs/{job_id}?wait=60")
            prefer = pool.submit(submit, client, Prefer="wait=60")
            events = pool.submit(lambda: [one.kind for one in stream(client, job_id)])
            upload = pool.submit(self._slow_upload, client)
            time.sleep(1)
            started = time.monotonic()
            assert gateway.terminate() == 0
            assert time.monotonic() - started < 6
        assert (poll.result().status_code, poll.result().json()["status"]) == (200, "queued")
        assert prefer.result().status_code == 202
        assert events.result() == ["job.queued"]
        assert upload.result().status_code == 202

    @staticmethod
    def _slow_upload(client: httpx.Client) -> httpx.Response:
        def parts() -> Iterator[bytes]:
            content = png()
            for at in range(0, len(content), 60):
                yield content[at : at + 60]
                time.sleep(0.2)

        return client.post("/v1/jobs", content=parts(), headers={"Content-Type": "image/png"})

    def test_a_killed_gateway_has_lost_nothing_it_accepted(
        self, start_gateway: StartGateway, client: httpx.Client, key: Key, engine: Engine
    ) -> None:
        gateway = start_gateway()
        accepted: list[str] = []

        def load() -> None:
            with gateway.client(key) as victim:
                while True:
                    try:
                        accepted.append(submit(victim).json()["id"])
                    except httpx.TransportError:
                        return

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(accepted) >= 40)
        gateway.kill()
        for thread in threads:
            thread.join(10)
        with engine.connect() as connection:
            known = {str(job_id) for job_id in connection.execute(select(jobs.c.id)).scalars()}
        assert set(accepted) <= known
        statuses = {client.get(f"/v1/jobs/{job_id}/pages/1.png?width=64").status_code for job_id in accepted[-3:]}
        assert statuses == {200}


def test_what_nobody_expected_is_a_bare_500(client: httpx.Client, gateway: GatewayProcess, engine: Engine) -> None:
    """A table that is not there is a mistake of ours: the caller learns the request id, the log everything."""
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table jobs rename to jobs_elsewhere")
    try:
        answer = client.get("/v1/jobs")
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("alter table jobs_elsewhere rename to jobs")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "jobs_elsewhere" not in answer.text
    assert "select" not in answer.text.lower()
    assert answer.headers["X-Request-ID"] in gateway.log.read_text()
