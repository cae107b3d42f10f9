"""Every route and every role; and a stranger, who must see nothing of anybody else's."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine, text

from services.gateway import app as gateway_app
from services.gateway.web import app as web_app
from shared.db.accounts import Role
from shared.db.keys import Scope
from tests import loopback
from tests.integration.gateway.conftest import Key, MakeKey
from tests.integration.gateway.web.conftest import MakePerson, Person, make_account
from tests.integration.gateway.web.routes import API, BODIES, IF_MATCH, PAGES, Things
from tests.integration.gateway.workers import fail, png, succeed

FILE = "secret-lease-of-acme.png"
ROLES = [None, *Role]


def addresses(routers: object) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for router in routers  # type: ignore[attr-defined]
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def test_no_route_is_forgotten() -> None:
    assert addresses(web_app.ROUTERS) == set(PAGES)
    assert addresses(gateway_app._ROUTERS) == set(API)


@pytest.fixture
def things(engine: Engine, make_person: MakePerson, make_key: MakeKey) -> Things:
    """What client acme has: an examined document, a failed one, a person, a key."""
    owner = make_person(Role.OPERATOR, "owner@acme.example")
    for finish in (fail, succeed):
        answer = owner.api("POST", "/v1/jobs", files={"file": (FILE, png())})
        assert answer.status_code == 202, answer.text
        finish(engine, answer.json()["id"])
    assert owner.account
    return Things(answer.json()["id"], owner.account.id, make_key(Scope.READ).row.id)


@pytest.fixture(params=ROLES, ids=lambda role: str(role or "visitor"))
def somebody(request: pytest.FixtureRequest, make_person: MakePerson, visitor: Person) -> tuple[Role | None, Person]:
    role: Role | None = request.param
    return role, make_person(role) if role else visitor


def test_pages_open_for_their_roles_only(somebody: tuple[Role | None, Person], things: Things) -> None:
    role, person = somebody
    for (method, path), allowed in PAGES.items():
        if path in ("/logout", "/account/password"):
            continue  # they end or renew the session: below and in test_accounts
        answer = person.get(things.address(path)) if method == "GET" else person.post(things.address(path))
        where = f"{role} {method} {path}: {answer.status_code}"
        if role in allowed:
            assert answer.status_code not in (401, 403, 405, 500) or path == "/login", where
            assert answer.status_code != 404 or "{delivery_id}" in path, where
            assert not answer.headers.get("location", "").startswith("/login"), where
        elif role is None:
            assert answer.status_code == 303, where
            assert answer.headers["location"].startswith("/login"), where
        else:
            assert answer.status_code == 403, where
            assert FILE not in answer.text, where


def test_forms_without_a_token_do_nothing(somebody: tuple[Role | None, Person], things: Things) -> None:
    role, person = somebody
    for method, path in PAGES:
        if method == "POST":
            answer = person.http.post(things.address(path), data={"csrf_token": "0" * 64})
            assert answer.status_code in (303, 403) if role is None else answer.status_code == 403, (role, path)


def test_no_error_of_a_form_stands_in_the_way_of_another_language(administrator: Person, things: Things) -> None:
    for method, path in PAGES:
        if method == "POST":
            refused = administrator.http.post(things.address(path), data={"csrf_token": "0" * 64})
            assert refused.status_code == 403, path
            assert administrator.in_french(refused).status_code == 200, path


def test_the_api_takes_sessions_by_their_role(somebody: tuple[Role | None, Person], things: Things) -> None:
    role, person = somebody
    for (method, path), allowed in API.items():
        if path == "/v1/jobs/{job_id}" and method == "DELETE" and role in allowed:
            continue  # last, below: it takes away what the others need
        answer = person.api(method, things.address(path))
        where = f"{role} {method} {path}: {answer.status_code}"
        if role in allowed:
            assert answer.status_code not in (401, 403, 405, 500), where
            assert answer.status_code != 404 or "{delivery_id}" in path, where
        else:
            assert answer.status_code == (401 if role is None or not allowed else 403), where
    if role in API["DELETE", "/v1/jobs/{job_id}"]:
        assert person.api("DELETE", f"/v1/jobs/{things.job_id}").status_code == 204


class TestStranger:
    """Somebody with every right, at another client."""

    @pytest.fixture
    def stranger(self, make_person: MakePerson) -> Person:
        return make_person(Role.ADMINISTRATOR, client="rivals")

    @pytest.fixture
    def strange_key(self, make_key: MakeKey) -> Key:
        return make_key(*Scope, client="rivals")

    def test_a_session_shows_nothing(self, stranger: Person, things: Things, engine: Engine) -> None:
        before = self.everything_of_acme(engine)
        for method, path in PAGES:
            if path in ("/logout", "/account/password"):
                continue
            answer = (
                stranger.get(things.address(path))
                if method == "GET"
                else stranger.post(things.address(path), role="operator")
            )
            self.assert_nothing_shown(method, path, answer, things)
        for method, path in API:
            self.assert_nothing_shown(
                method, path, stranger.api(method, things.address(path), json=BODIES.get(path)), things
            )
        assert self.everything_of_acme(engine) == before

    def test_a_session_is_not_told_what_those_who_run_the_installation_are(self, stranger: Person) -> None:
        assert stranger.account
        assert stranger.account.role is Role.ADMINISTRATOR
        assert stranger.api("GET", "/v1/deliveries").status_code == 200
        assert stranger.api("GET", "/v1/deliveries?to=operators").status_code == 403

    def test_a_key_shows_nothing(
        self, strange_key: Key, things: Things, gateway_client: httpx.Client, engine: Engine
    ) -> None:
        before = self.everything_of_acme(engine)
        for method, path in API:
            if path.startswith("/v1/keys"):
                continue  # an administrator's key manages the keys of all clients
            answer = gateway_client.request(
                method, things.address(path), headers={**strange_key.headers, **IF_MATCH}, json=BODIES.get(path)
            )
            self.assert_nothing_shown(method, path, answer, things)
        assert self.everything_of_acme(engine) == before

    @pytest.fixture
    def gateway_client(self, stranger: Person) -> Iterator[httpx.Client]:
        with loopback.Client(base_url=stranger.http.base_url, timeout=30) as client:
            yield client

    @staticmethod
    def assert_nothing_shown(method: str, path: str, answer: httpx.Response, things: Things) -> None:
        where = f"{method} {path}: {answer.status_code}"
        assert FILE not in answer.text, where
        assert "@acme.example" not in answer.text, where
        if "{job_id}" in path:
            assert answer.status_code == 404, where
        elif "{account_id}" in path or "{key_id}" in path:
            assert answer.status_code in (401, 404), where
        elif path == "/v1/progress":
            assert f'event: gone\ndata: {{"id": "{things.job_id}"}}' in answer.text, where

    @staticmethod
    def everything_of_acme(engine: Engine) -> list[object]:
        """States of jobs, accounts and keys: nothing a stranger does changes them."""
        with engine.connect() as connection:
            return [
                connection.execute(text(query)).all()
                for query in (
                    "select jobs.id, state, run from jobs join clients c on c.id = client_id where c.name = 'acme' "
                    "order by 1",
                    "select accounts.id, role, disabled_at from accounts join clients c on c.id = client_id "
                    "where c.name = 'acme' order by 1",
                    "select k.id, k.revoked_at from api_keys k join clients c on c.id = client_id "
                    "where c.name = 'acme' order by 1",
                )
            ]


def test_an_administrators_replay_is_on_record(administrator: Person, things: Things, engine: Engine) -> None:
    assert administrator.post("/admin/replay").status_code == 303
    with engine.connect() as connection:
        states = connection.execute(text("select state from jobs order by id")).scalars().all()
        actions = connection.execute(text("select action from audit_lines")).scalars().all()
    assert states == ["queued", "succeeded"]
    assert "job.replayed" in actions


def test_a_replay_on_the_jobs_own_page_is_on_record(operator: Person, engine: Engine) -> None:
    job_id = operator.api("POST", "/v1/jobs", files={"file": (FILE, png())}).json()["id"]
    fail(engine, job_id)
    assert operator.api("POST", f"/v1/jobs/{job_id}/replay").status_code == 202
    assert operator.account
    with engine.connect() as connection:
        lines = connection.execute(text("select action, subject, account_id, key_id from audit_lines")).all()
    assert lines == [("job.replayed", job_id, operator.account.id, None)]


def test_the_last_administrator_stays(administrator: Person, engine: Engine) -> None:
    assert administrator.account
    me = administrator.account.id
    other = make_account(engine, "second@acme.example", Role.OPERATOR)
    administrator.post(f"/admin/accounts/{me}/role", role="operator")
    administrator.post(f"/admin/accounts/{me}/disable")
    assert administrator.get("/admin").status_code == 200
    administrator.post(f"/admin/accounts/{other.id}/role", role="administrator")
    administrator.post(f"/admin/accounts/{me}/role", role="operator")
    assert administrator.get("/admin").status_code == 403, "the role counts at once, also in an open session"


def test_a_key_is_shown_once_and_works_until_revoked(administrator: Person, engine: Engine) -> None:
    made = administrator.post("/admin/keys", **{"name": "scanner", "scope-read": "yes"})
    secret = made.text.split("<code>pk_")[1].split("<")[0]
    headers = {"Authorization": f"Bearer pk_{secret}"}
    assert secret not in administrator.get("/admin/keys").text
    assert administrator.http.get("/v1/jobs", headers=headers).status_code == 200
    assert administrator.http.post("/v1/uploads", json={}, headers=headers).status_code == 403
    with engine.connect() as connection:
        key_id = connection.execute(text("select id from api_keys where name = 'scanner'")).scalar_one()
    assert administrator.post(f"/admin/keys/{key_id}/revoke").status_code == 303
    assert administrator.http.get("/v1/jobs", headers=headers).status_code == 401


def test_no_key_with_power_over_other_clients_is_made_on_the_page(
    administrator: Person, make_person: MakePerson, engine: Engine
) -> None:
    for person in (administrator, make_person(Role.ADMINISTRATOR, client="rivals")):
        assert "scope-admin" not in person.get("/admin/keys").text
        forced = person.post("/admin/keys", **{"name": "forced", "scope-admin": "yes"})
        assert forced.status_code == 422
        assert "at least one right" in forced.text
        made = person.post("/admin/keys", **{"name": "made", "scope-submit": "yes", "scope-admin": "yes"})
        secret = made.text.split("<code>pk_")[1].split("<")[0]
        headers = {"Authorization": f"Bearer pk_{secret}"}
        taken = person.http.post("/v1/keys", json={"name": "x", "client": "acme", "scopes": ["read"]}, headers=headers)
        assert (taken.status_code, taken.json()["code"]) == (403, "scope_missing")
    with engine.connect() as connection:
        keys = connection.execute(text("select name, scopes from api_keys")).all()
    assert keys == [("made", ["submit"])] * 2
