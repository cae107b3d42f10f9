"""``paraphe accounts``: the first administrator, who has nobody to ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from paraphe.cli.accounts import accounts_app
from shared.db.accounts import Role
from tests import as_in_image
from tests.integration.gateway.web.conftest import PASSWORD, Person, make_account
from tests.servers import Servers

runner = CliRunner()


def run(*arguments: str, password: str = PASSWORD) -> str:
    result = runner.invoke(accounts_app, list(arguments), env={"PARAPHE_PASSWORD": password})
    return f"{result.exit_code} {result.output}"


def test_makes_an_administrator_who_can_log_in(clean_servers: Servers, visitor: Person) -> None:
    assert run("create", "--email", "Boss@Example.org", "--role", "administrator").startswith("0 boss@example.org")
    visitor.log_in("boss@example.org")
    assert visitor.get("/admin").status_code == 200
    assert "boss@example.org\tadministrator" in run("list")


def test_makes_one_in_the_gateways_image(clean_servers: Servers, visitor: Person) -> None:
    command = [sys.executable, as_in_image.__file__, "gateway", "accounts", "create", "--email", "boss@example.org"]
    environment = {**os.environ, "PARAPHE_PASSWORD": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "boss@example.org: operator of default\n", done.stderr
    assert visitor.log_in("boss@example.org").status_code == 303


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("--role", "emperor"), PASSWORD, "no role 'emperor'"),
        (("--role", "operator"), "short", "too short"),
    ],
)
def test_says_what_is_wrong(clean_servers: Servers, arguments: tuple[str, ...], password: str, said: str) -> None:
    output = run("create", "--email", "boss@example.org", *arguments, password=password)
    assert output.startswith("1 ")
    assert said in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--email", "boss"), "boss is no e-mail address"),
        (("--email", "boss@example.org", "--client", ""), "name has 1 to 100 characters"),
        (("--email", "boss@example.org", "--client", "x" * 101), "name has 1 to 100 characters"),
    ],
)
def test_makes_none_that_could_not_be_made_elsewhere(
    clean_servers: Servers, arguments: tuple[str, ...], said: str
) -> None:
    output = run("create", *arguments)
    assert output.startswith("1 ")
    assert said in output


def test_looking_at_a_client_s_accounts_does_not_make_the_client(engine: Engine) -> None:
    assert run("list", "--client", "typo").startswith("1 There is no client 'typo'")
    with engine.connect() as connection:
        assert "typo" not in connection.execute(text("select name from clients")).scalars().all()


def test_an_address_is_taken_once(engine: Engine) -> None:
    make_account(engine, "boss@example.org", Role.OPERATOR, "default")
    assert "account with this e-mail address already" in run("create", "--email", "boss@example.org")


def test_a_forgotten_password_is_replaced_and_sessions_end(operator: Person, engine: Engine) -> None:
    assert operator.account
    assert run("password", "--email", operator.account.email, password="quite another horse").startswith("0 ")
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from sessions")).scalar_one() == 0
        told = connection.execute(text("select subject from audit_lines where action = 'account.password_changed'"))
        assert told.scalars().all() == [operator.account.email]
    assert operator.log_in(operator.account.email, "quite another horse").status_code == 303


def test_without_a_database_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARAPHE_POSTGRES_URL")
    assert "Start `paraphe up` first" in run("list", "--data", str(tmp_path))
