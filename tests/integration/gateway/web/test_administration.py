"""The administration's list of workers."""

import html
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sqlalchemy import Engine, text

from shared.db import workers
from shared.db.accounts import Role
from shared.db.workers import WorkerReport
from shared.domain.ids import new_id
from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.web.conftest import MakePerson, Person, open_browser
from tests.integration.gateway.workers import fail, give_up_deliveries, png, succeed, wait_for


def submit(person: Person, name: str) -> str:
    answer = person.api("POST", "/v1/jobs", files={"file": (name, png())})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def part(page: str, name: str) -> str:
    found = re.search(rf'part-name">{name}</span><span class="badge \w+"><span[^>]+>.</span>([^<]+)<', page)
    assert found
    return html.unescape(found.group(1))


def test_workers_are_listed_with_their_state_and_what_they_hold(
    administrator: Person, make_person: MakePerson, engine: Engine
) -> None:
    assert part(administrator.get("/admin").text, "Detector") == "Does not answer"
    mine = submit(administrator, "ours.png")
    theirs = submit(make_person(client="rivals"), "theirs.png")
    with engine.begin() as connection:
        both = [new_id(), new_id()]
        workers.report(
            connection, WorkerReport(both[0], "pod-a/1", "signatures@7", "openvino (CPU)", 8, [mine, theirs])
        )
        workers.report(connection, WorkerReport(both[1], "pod-b/1", "signatures@7", "pytorch (H200)", 16))
        connection.execute(text("update workers set seen_at = now() - interval '5 min' where name = 'pod-b/1'"))
    page = administrator.get("/admin").text
    assert part(page, "Detector") == "Works"
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    (alive,) = (row for row in rows if "pod-a/1" in row)
    (silent,) = (row for row in rows if "pod-b/1" in row)
    assert "2 documents of at most 8" in alive
    assert f'<a href="/jobs/{mine}">ours.png</a>' in alive
    assert "signatures@7" in alive
    assert re.search(r"Silent for 5\smin", silent)
    assert "theirs.png" not in page
    assert theirs not in page


def test_all_are_replayed_though_one_is_erased_meanwhile(administrator: Person, engine: Engine) -> None:
    oldest, erased, newest = ids = [submit(administrator, f"{number}.png") for number in range(3)]
    for job_id in ids:
        fail(engine, job_id)

    waiting = text("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")

    def is_at_work() -> bool:
        with engine.connect() as connection:
            return connection.execute(waiting).first() is not None

    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.execute(text("select from jobs where id = :id for update"), {"id": newest})
        answer = pool.submit(administrator.post, "/admin/replay")
        wait_for(is_at_work)
        assert administrator.api("DELETE", f"/v1/jobs/{erased}").status_code == 204
        connection.rollback()
        assert answer.result().status_code == 303
    with engine.connect() as connection:
        states = connection.execute(text("select id::text, state from jobs order by id")).all()
    assert states == [(oldest, "queued"), (newest, "queued")]
    assert administrator.post(f"/admin/jobs/{erased}/replay").status_code == 404


def test_a_broker_that_hangs_is_waited_for_once_however_many_are_replayed(
    administrator: Person, engine: Engine, start_gateway: StartGateway
) -> None:
    for number in range(10):
        fail(engine, submit(administrator, f"{number}.png"))
    with socket.create_server(("127.0.0.1", 0), backlog=100) as hung:
        address = f"redis://127.0.0.1:{hung.getsockname()[1]}/0"
        person = open_browser(start_gateway(PARAPHE_REDIS_URL=address, PARAPHE_REDIS_TIMEOUT_S="1"))
        person.http.cookies.update(administrator.http.cookies)
        assert person.post("/admin/replay").status_code == 303
        assert connections_to(hung) == 1
    with engine.connect() as connection:
        assert set(connection.execute(text("select state from jobs")).scalars()) == {"queued"}


def connections_to(server: socket.socket) -> int:
    """How many have been opened, which nobody has accepted."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_forgotten_password_is_replaced_on_record(
    administrator: Person, operator: Person, visitor: Person, make_person: MakePerson, engine: Engine
) -> None:
    assert operator.account
    path = f"/admin/accounts/{operator.account.id}/password"
    refused = administrator.post(path, password="short")
    assert refused.status_code == 422
    resets = re.findall("<details.*?</details>", refused.text, re.DOTALL)
    (told,) = (one for one in resets if 'role="alert"' in one)
    assert f'action="{path}"' in told, "it is said where the password was given"
    assert operator.get("/account").status_code == 200
    assert make_person(Role.ADMINISTRATOR, client="rivals").post(path, password="an evil password").status_code == 404
    assert administrator.post(path, password="nine yellow ducks").status_code == 303
    assert operator.get("/account").status_code == 303, "what the person had open has ended"
    assert visitor.log_in(operator.account.email).status_code == 401
    assert visitor.log_in(operator.account.email, "nine yellow ducks").status_code == 303
    with engine.connect() as connection:
        told = connection.execute(text("select action, subject from audit_lines order by id")).all()
    assert ("account.password_changed", operator.account.email) in told
    assert "nine yellow ducks" not in str(told)


def test_a_worker_long_gone_is_forgotten(administrator: Person, engine: Engine) -> None:
    with engine.begin() as connection:
        workers.report(connection, WorkerReport(new_id(), "old/1", "signatures@7", "openvino (CPU)", 8))
        connection.execute(
            text("update workers set seen_at = now() - interval '2 h', started_at = now() - interval '3 h'")
        )
    assert "old/1" not in administrator.get("/admin").text
    with engine.begin() as connection:
        workers.report(connection, WorkerReport(new_id(), "new/1", "signatures@7", "openvino (CPU)", 8))
        assert connection.execute(text("select name from workers")).scalars().all() == ["new/1"]


def test_a_notification_that_did_not_arrive_is_seen_and_sent_again(
    administrator: Person, make_person: MakePerson, engine: Engine
) -> None:
    url = "https://hooks.example.org/paraphe"
    answer = administrator.api("POST", "/v1/jobs", files={"file": ("a.png", png())}, data={"callback_url": url})
    succeed(engine, answer.json()["id"])
    (delivery,) = give_up_deliveries(engine)
    page = administrator.get("/admin").text
    assert url in page
    assert "HTTP 503" in page
    rival = make_person(Role.ADMINISTRATOR, client="rivals")
    assert url not in rival.get("/admin").text
    assert rival.post(f"/admin/deliveries/{delivery}/replay").status_code == 404
    assert administrator.post(f"/admin/deliveries/{delivery}/replay").status_code == 303
    assert url not in administrator.get("/admin").text
    with engine.connect() as connection:
        assert connection.execute(text("select state from deliveries")).scalar_one() == "pending"
        assert "delivery.replayed" in connection.execute(text("select action from audit_lines")).scalars().all()
