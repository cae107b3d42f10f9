"""Who may do what, and how often."""

import time
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from shared.db import keys
from shared.db.keys import Scope
from tests import loopback
from tests.integration.gateway.conftest import Ask, GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import submit
from tests.servers import Servers


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer pk_wrong", "Basic YTpi", "Bearer \u00e9"])
def test_without_a_valid_key_nothing_is_said(gateway: GatewayProcess, value: str | None) -> None:
    headers = {} if value is None else {b"Authorization": value.encode("latin-1")}
    for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("POST", "/predict"), ("GET", "/v1/keys")):
        answer = loopback.request(method, gateway.url + path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_scopes(gateway: GatewayProcess, make_key: MakeKey) -> None:
    job = f"/v1/jobs/{uuid4()}"
    for scope, method, path in (
        (Scope.READ, "POST", "/v1/jobs"),
        (Scope.READ, "POST", "/v1/uploads"),
        (Scope.READ, "POST", "/predict"),
        (Scope.READ, "POST", f"{job}/cancel"),
        (Scope.READ, "POST", f"{job}/replay"),
        (Scope.READ, "DELETE", job),
        (Scope.SUBMIT, "GET", job),
        (Scope.SUBMIT, "GET", "/v1/jobs"),
        (Scope.SUBMIT, "GET", f"{job}/events"),
        (Scope.SUBMIT, "GET", f"{job}/pages/1.png"),
        (Scope.SUBMIT, "GET", "/v1/keys"),
        (Scope.READ, "DELETE", f"/v1/keys/{uuid4()}"),
    ):
        with gateway.client(make_key(scope)) as client:
            answer = client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), (scope, path)


def test_an_administrator_may_do_everything_for_its_own_client(gateway: GatewayProcess, make_key: MakeKey) -> None:
    with gateway.client(make_key(Scope.ADMIN)) as client:
        job_id = submit(client).json()["id"]
        assert client.get(f"/v1/jobs/{job_id}").status_code == 200
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204


def test_keys_are_made_listed_and_revoked(gateway: GatewayProcess, make_key: MakeKey) -> None:
    with gateway.client(make_key(Scope.ADMIN)) as client:
        made = client.post("/v1/keys", json={"name": "scanner", "client": "other", "scopes": ["submit", "read"]})
        new = made.json()
        assert made.status_code == 201
        assert new["key"].startswith(new["prefix"])
        assert new["webhook_secret"].startswith("whsec_")
        assert (new["client"], sorted(new["scopes"])) == ("other", ["read", "submit"])
        rows = client.get("/v1/keys").json()["keys"]
        assert rows[0]["id"] == new["id"]
        assert all("key" not in row and "webhook_secret" not in row for row in rows)

        headers = {"Authorization": f"Bearer {new['key']}"}
        assert loopback.get(f"{gateway.url}/v1/jobs", headers=headers).status_code == 200
        assert client.delete(f"/v1/keys/{new['id']}").status_code == 204
        assert loopback.get(f"{gateway.url}/v1/jobs", headers=headers).status_code == 401
        assert client.delete(f"/v1/keys/{new['id']}").status_code == 404


@pytest.mark.usefixtures("lost_answers")
def test_a_key_of_which_the_database_did_not_answer_is_made_once(ask: Ask, make_key: MakeKey, engine: Engine) -> None:
    answer = ask("POST", "/v1/keys", make_key(Scope.ADMIN), json={"name": "scanner", "scopes": ["read"]})
    assert answer.status_code == 201
    with engine.begin() as connection:
        (made,) = (one for one in keys.everyone(connection) if one.name == "scanner")
        assert keys.authenticate(connection, answer.json()["key"]) == made
        told = connection.execute(text("select action, subject from audit_lines")).all()
    assert told == [("key.created", made.prefix)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x"}, "/scopes"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": ["all"]}, "/scopes/0"),
        ({"name": "", "scopes": ["read"]}, "/name"),
        ({"name": "x", "scopes": ["read"], "requests_per_minute": 10**10}, "/requests_per_minute"),
        ({"name": "x", "scopes": ["read"], "client": "a\0"}, "/client"),
    ],
)
def test_keys_that_cannot_be(gateway: GatewayProcess, make_key: MakeKey, body: dict[str, object], pointer: str) -> None:
    with gateway.client(make_key(Scope.ADMIN)) as client:
        answer = client.post("/v1/keys", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_each_key_has_its_own_rate(gateway: GatewayProcess, make_key: MakeKey, key: Key) -> None:
    with gateway.client(make_key(Scope.READ, requests_per_minute=3)) as slow, gateway.client(key) as quick:
        answers = [slow.get("/v1/jobs") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].json()["code"] == "rate_limited"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert quick.get("/v1/jobs").status_code == 200


def test_rates_are_not_counted_while_the_broker_is_away(
    gateway: GatewayProcess, make_key: MakeKey, servers: Servers
) -> None:
    with gateway.client(make_key(Scope.READ, requests_per_minute=1)) as client:
        assert [client.get("/v1/jobs").status_code for _ in range(2)] == [200, 429]
        servers.valkey.kill()
        started = time.monotonic()
        assert [client.get("/v1/jobs").status_code for _ in range(5)] == [200] * 5
        assert time.monotonic() - started < 3
