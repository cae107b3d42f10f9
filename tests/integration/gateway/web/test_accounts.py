"""Accounts: sign up, log in, log out, other passwords, and what protects them."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, text

from services.gateway.web.rendering import static_url
from services.gateway.web.visitors import SESSION_COOKIE
from shared.db.accounts import Role
from tests import loopback
from tests.integration.gateway.conftest import GatewayProcess, StartGateway
from tests.integration.gateway.web.conftest import PASSWORD, MakePerson, Person, make_account, open_browser


def is_in(person: Person) -> bool:
    """Whether the person may see a page that needs a session."""
    answer = person.get("/account")
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def audit_of(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("select action from audit_lines order by id")).scalars())


class TestSignUp:
    def test_makes_an_operator_of_the_default_client_and_logs_in(self, visitor: Person, engine: Engine) -> None:
        answer = visitor.post("/signup", email=" Anna@Example.org ", password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert is_in(visitor)
        with engine.connect() as connection:
            row = connection.execute(
                text("select email, role, name, password_hash from accounts join clients on clients.id = client_id")
            ).one()
        assert row[:3] == ("anna@example.org", "operator", "default")
        assert row.password_hash.startswith("$argon2id$")
        assert audit_of(engine) == ["account.created", "account.logged_in"]

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("anna@example.org", "short"),
            ("anna@example.org", "anna@example.org"),
            ("anna@example.org", "aaaaaaaaaaaaaa"),
            ("no address", PASSWORD),
            ("", ""),
        ],
    )
    def test_refuses_what_will_not_do(self, visitor: Person, engine: Engine, email: str, password: str) -> None:
        answer = visitor.post("/signup", email=email, password=password)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert password not in answer.text or not password or password == email
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from accounts")).scalar_one() == 0

    def test_an_address_has_one_account_however_it_is_written(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        answer = visitor.post("/signup", email="ANNA@example.org", password="another password")
        assert answer.status_code == 422
        assert not is_in(visitor)

    def test_can_be_closed(self, start_gateway: StartGateway, engine: Engine) -> None:
        person = open_browser(start_gateway(PARAPHE_WEB_SIGNUP_OPEN="false"))
        assert "administrator" in person.get("/signup").text
        assert person.post("/signup", email="anna@example.org", password=PASSWORD).status_code == 422
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from accounts")).scalar_one() == 0


class TestLogIn:
    def test_leads_on_to_the_page_that_was_asked_for(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        refused = visitor.get("/history?q=lease")
        assert (refused.status_code, refused.headers["location"]) == (303, "/login?next=%2Fhistory%3Fq%3Dlease")
        answer = visitor.log_in("anna@example.org", next="/history?q=lease")
        assert answer.headers["location"] == "/history?q=lease"
        assert is_in(visitor)

    def test_who_has_logged_in_on_another_tab_goes_on(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        old = visitor.csrf
        visitor.log_in("anna@example.org")
        session = visitor.http.cookies[SESSION_COOKIE]
        form = {"csrf_token": old, "password": "whatever it is", "next": "/history?q=lease"}
        answer = visitor.http.post("/login", data={**form, "email": " Anna@Example.org"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/history?q=lease")
        assert visitor.http.cookies[SESSION_COOKIE] == session, "nothing is changed"
        assert audit_of(engine) == ["account.logged_in"]
        somebody_else = visitor.http.post("/login", data={**form, "email": "bruno@example.org"})
        assert somebody_else.status_code == 403, "who is taken for nobody else"

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:0"]
    )
    def test_leads_nowhere_else(self, visitor: Person, engine: Engine, elsewhere: str) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        assert visitor.log_in("anna@example.org", next=elsewhere).headers["location"] == "/"
        assert visitor.get("/login", params={"next": elsewhere}).headers["location"] == "/"

    def test_says_the_same_of_a_wrong_password_and_an_unknown_address(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        answers = [visitor.log_in(email, "wrong password") for email in ("anna@example.org", "nobody@example.org")]
        assert [answer.status_code for answer in answers] == [401, 401]
        told = [answer.text.replace("anna@", "").replace("nobody@", "") for answer in answers]
        assert told[0] == told[1]
        took = [answer.elapsed for answer in answers]
        assert min(took) > timedelta(milliseconds=15), "a hash is computed for both"
        assert not is_in(visitor)

    def test_the_cookie_is_for_us_alone(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        cookie = visitor.log_in("anna@example.org").headers["set-cookie"]
        assert cookie.startswith(SESSION_COOKIE)
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie

    def test_the_cookie_is_secure_behind_tls(self, start_gateway: StartGateway, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        gateway = start_gateway(PARAPHE_WEB_BEHIND_TLS="true")
        with loopback.Client(base_url=gateway.url) as http:
            page = http.get("/login")
            assert "Secure" in page.headers["set-cookie"]
            assert page.headers["strict-transport-security"].startswith("max-age=")

    def test_the_database_holds_no_token_and_no_password(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        visitor.log_in("anna@example.org")
        token = visitor.http.cookies[SESSION_COOKIE]
        with engine.connect() as connection:
            kept = connection.execute(text("select token_hash::text from sessions")).scalar_one()
        assert token.encode().hex() not in kept

    def test_guessing_is_slowed_down_for_known_and_unknown_alike(
        self, start_gateway: StartGateway, engine: Engine
    ) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        person = open_browser(start_gateway(PARAPHE_WEB_LOGIN_FAILURES="3"))
        for email in ("anna@example.org", "nobody@example.org"):
            statuses = [person.log_in(email, "wrong password").status_code for _ in range(4)]
            assert statuses == [401, 401, 401, 429]
        assert person.log_in("anna@example.org").status_code == 429, "even the right one, now"
        with engine.begin() as connection:
            connection.execute(text("update login_attempts set at = at - interval '16 minutes'"))
        assert person.log_in("anna@example.org").status_code == 303

    def test_one_machine_cannot_try_every_account(self, start_gateway: StartGateway) -> None:
        person = open_browser(start_gateway(PARAPHE_WEB_LOGIN_FAILURES_ADDRESS="3"))
        statuses = [person.log_in(f"p{number}@example.org", "wrong password").status_code for number in range(4)]
        assert statuses == [401, 401, 401, 429]

    def test_success_forgives_earlier_mistakes(self, visitor: Person, engine: Engine) -> None:
        make_account(engine, "anna@example.org", Role.OPERATOR)
        visitor.log_in("anna@example.org", "wrong password")
        assert visitor.log_in("anna@example.org").status_code == 303
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from login_attempts")).scalar_one() == 0

    def test_whoever_is_locked_out_is_out_at_once_and_cannot_come_back(
        self, visitor: Person, administrator: Person, engine: Engine
    ) -> None:
        account = make_account(engine, "anna@example.org", Role.OPERATOR)
        visitor.log_in("anna@example.org")
        assert administrator.post(f"/admin/accounts/{account.id}/disable").status_code == 303
        assert not is_in(visitor)
        assert visitor.log_in("anna@example.org").status_code == 401


class TestSession:
    def test_log_out_ends_it_in_the_database(self, operator: Person, gateway: GatewayProcess) -> None:
        token = operator.http.cookies[SESSION_COOKIE]
        operator.post("/logout")
        operator.http.cookies.set(SESSION_COOKIE, token)
        assert not is_in(operator)

    def test_ends_after_five_idle_minutes(self, operator: Person, engine: Engine) -> None:
        self.let_time_pass(engine, "last_seen_at", "4 minutes 50 seconds")
        assert is_in(operator)
        self.let_time_pass(engine, "last_seen_at", "5 minutes 1 second")
        assert not is_in(operator)

    def test_seeing_a_page_prolongs_it_reading_the_api_does_not(self, operator: Person, engine: Engine) -> None:
        self.let_time_pass(engine, "last_seen_at", "4 minutes")
        is_in(operator)
        self.let_time_pass(engine, "last_seen_at", "4 minutes")
        assert operator.http.get("/v1/jobs").status_code == 200
        self.let_time_pass(engine, "last_seen_at", "2 minutes")
        assert operator.http.get("/v1/jobs").status_code == 401
        assert not is_in(operator)

    def test_a_script_says_that_the_person_is_there(self, operator: Person, engine: Engine) -> None:
        for _ in range(3):
            self.let_time_pass(engine, "last_seen_at", "4 minutes")
            assert operator.post("/session/touch").status_code == 204

    def test_what_a_page_tells_counts_though_it_told_so_seconds_ago(self, operator: Person, engine: Engine) -> None:
        self.let_time_pass(engine, "last_seen_at", "10 seconds")
        assert operator.post("/session/touch").status_code == 204
        self.let_time_pass(engine, "last_seen_at", "4 minutes 52 seconds")
        assert is_in(operator), "what is told counts, though something was told ten seconds before"

    def test_ends_at_its_age_in_any_case(self, operator: Person, engine: Engine) -> None:
        self.let_time_pass(engine, "created_at", "12 hours")
        assert not is_in(operator)

    def test_logging_out_of_a_session_that_has_ended_is_no_error(self, operator: Person, engine: Engine) -> None:
        self.let_time_pass(engine, "last_seen_at", "6 minutes")
        answer = operator.post("/logout", why="idle", next="/history")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?ended=idle&next=%2Fhistory")

    def test_the_end_leads_back_to_where_one_was(self, operator: Person) -> None:
        answer = operator.post("/logout", why="idle", next="/history?q=lease")
        assert answer.headers["location"] == "/login?ended=idle&next=%2Fhistory%3Fq%3Dlease"

    @staticmethod
    def let_time_pass(engine: Engine, column: str, interval: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"update sessions set {column} = {column} - interval '{interval}'"))


class TestPassword:
    def test_is_changed_with_the_current_one_and_ends_other_sessions(
        self, operator: Person, gateway: GatewayProcess
    ) -> None:
        assert operator.account
        elsewhere = open_browser(gateway)
        elsewhere.log_in(operator.account.email)
        new = "quite another horse"
        assert operator.post("/account/password", current="wrong one", new=new).status_code == 422
        assert operator.post("/account/password", current=PASSWORD, new="short").status_code == 422
        assert operator.post("/account/password", current=PASSWORD, new=new).status_code == 303
        assert is_in(operator)
        assert not is_in(elsewhere)
        assert elsewhere.log_in(operator.account.email).status_code == 401
        assert elsewhere.log_in(operator.account.email, new).status_code == 303


@pytest.mark.parametrize(
    ("path", "fields", "page"),
    [
        ("/account/password", {"current": "wrong one", "new": "quite another horse"}, "/account"),
        ("/admin/accounts/{own_id}/password", {"password": "short"}, "/admin/accounts"),
    ],
)
def test_a_fault_in_a_form_does_not_stand_in_the_way_of_another_language(
    administrator: Person, path: str, fields: dict[str, str], page: str
) -> None:
    assert administrator.account
    refused = administrator.post(path.format(own_id=administrator.account.id), **fields)
    assert refused.status_code == 422
    shown = administrator.in_french(refused)
    assert (shown.status_code, shown.url.path) == (200, page)
    assert '<html lang="fr">' in shown.text


class TestCsrf:
    def test_another_persons_token_is_none(self, operator: Person, make_person: MakePerson) -> None:
        other = make_person(Role.OPERATOR, "other@acme.example")
        answer = operator.http.post("/logout", data={"csrf_token": other.csrf})
        assert answer.status_code == 403
        assert is_in(operator)

    def test_the_api_wants_it_in_a_header_for_what_changes_something(self, operator: Person) -> None:
        refused = operator.http.post("/v1/uploads", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert operator.api("POST", "/v1/uploads", json={}).status_code == 201

    def test_a_key_needs_none(self, operator: Person, client: httpx.Client) -> None:
        assert client.post("/v1/uploads", json={}).status_code == 201

    def test_a_wrong_key_is_not_helped_by_a_session(self, operator: Person) -> None:
        assert operator.http.get("/v1/jobs", headers={"Authorization": "Bearer pk_wrong"}).status_code == 401


def test_static_files_are_kept_for_ever_and_those_asked_for_by_another_versions_page_are_not(visitor: Person) -> None:
    assert static_url("base.css") in visitor.get("/login").text
    own = visitor.get(static_url("base.css"))
    others = visitor.get("/static/000000000000/base.css")
    assert (own.status_code, others.status_code) == (200, 200)
    assert others.text == own.text
    assert "immutable" in own.headers["cache-control"]
    assert others.headers["cache-control"] == "no-store"


def test_security_headers_are_on_every_answer(visitor: Person) -> None:
    for path in ("/login", "/nowhere", "/history", "/static/none/base.css"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "no-store" in headers["cache-control"]
