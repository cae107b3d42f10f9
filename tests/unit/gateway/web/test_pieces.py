"""Small parts of the pages: search words, filters, charts, spreadsheets, passwords, what is put into scripts."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.gateway.web import charts, passwords
from services.gateway.web.history_query import read_query
from services.gateway.web.rendering import json_block
from services.gateway.web.spreadsheets import csv_answer, paged_rows
from services.gateway.web.users import login_address, safe_next
from services.gateway.web.visitors import User, csrf_token, is_csrf_token
from shared.db.accounts import SCOPES, Role
from shared.db.keys import Scope
from shared.domain.ids import new_id
from shared.domain.search_words import search_words, words


def user(role: Role = Role.OPERATOR) -> User:
    return User(uuid4(), uuid4(), "acme", "a@b.c", role, SCOPES[role], "en")


class TestSearchWords:
    def test_are_without_case_accents_and_signs(self) -> None:
        assert words("Bail_Évry-2024.PDF, «Œuvre» n°3") == ["bail", "evry", "2024", "pdf", "œuvre", "n", "3"]

    def test_hold_nothing_a_query_could_trip_over(self) -> None:
        assert words("' & | ! ( ) : * \\ <-> \0") == []

    def test_come_from_names_keys_and_values_at_any_depth(self) -> None:
        metadata = {"case": {"number": 117, "tags": ["Urgent", None, True]}}
        assert search_words("a b.png", metadata) == ["117", "a", "b", "case", "number", "png", "tags", "urgent"]

    def test_are_bounded(self) -> None:
        assert len(search_words(None, {str(number): number for number in range(1000)})) == 300
        assert len(words("x" * 1000)[0]) == 60


class TestHistoryQuery:
    def test_whose_follows_the_role(self) -> None:
        operator, scientist = user(), user(Role.DATA_SCIENTIST)
        assert read_query({}, operator).which.account_id == operator.account_id
        assert read_query({}, scientist).which.account_id is None
        assert read_query({"whose": "mine"}, scientist).which.account_id == scientist.account_id

    def test_until_means_the_end_of_the_day(self) -> None:
        which = read_query({"from": "2024-02-29", "until": "2024-02-29"}, user()).which
        assert which.created_from == datetime(2024, 2, 29, tzinfo=UTC)
        assert which.created_until == datetime(2024, 3, 1, tzinfo=UTC)

    def test_nonsense_is_left_out(self) -> None:
        which = read_query({"from": "soon", "min": "-1", "max": "1e9", "outcome": "?", "metadata": ":"}, user()).which
        assert (which.created_from, which.min_count, which.max_count) == (None, None, None)
        assert not which.states
        assert not which.verdicts
        assert not which.metadata

    def test_an_address_keeps_the_filters(self) -> None:
        query = read_query({"q": "a b", "other": "x"}, user(Role.ADMINISTRATOR))
        assert query.address("/history", before="1") == "/history?q=a+b&whose=all&before=1"
        assert query.is_filtered


class TestCharts:
    def test_bars_are_stacked_from_below(self) -> None:
        chart = charts.stacked_bars(("a", "b"), [[1, 3], [0, 0], [5, 0]])
        assert (chart.width, chart.top) == (30.0, 5.0)
        assert [(one.kind, one.y, one.height) for one in chart.segments] == [
            ("a", 80.0, 20.0),
            ("b", 20.0, 60.0),
            ("a", 0.0, 100.0),
        ]

    def test_nothing_is_a_chart_too(self) -> None:
        assert charts.stacked_bars(("a",), []).segments == []

    @pytest.mark.parametrize(
        ("value", "top"), [(0, 1), (1, 1), (3, 5), (7, 10), (10, 10), (101, 200), (0.03, 0.05), (0.2, 0.2)]
    )
    def test_axes_end_at_round_numbers(self, value: float, top: float) -> None:
        assert charts.round_up(value) == pytest.approx(top)


class TestPasswords:
    def test_are_hashed_with_argon2id_and_recognised(self) -> None:
        hashed = passwords.hash_password("a horse in the garden")
        assert hashed.startswith("$argon2id$")
        assert passwords.is_right("a horse in the garden", hashed)
        assert not passwords.is_right("another horse", hashed)

    def test_nobodys_password_is_never_right(self) -> None:
        assert not passwords.is_right("nobody's password", None)
        assert not passwords.is_right("x", "not a hash")

    @pytest.mark.parametrize("password", ["short", "x" * 201, "Me@Example.org", "abababababab"])
    def test_weak_ones_are_refused(self, password: str) -> None:
        assert passwords.fault(password, "me@example.org")

    def test_a_sentence_will_do(self) -> None:
        assert passwords.fault("a horse in the garden", "me@example.org") is None


def test_scripts_get_json_that_cannot_end_their_block() -> None:
    block = json_block({"name": "</script><script>alert(1)</script>&<!--"})
    assert "<" not in block
    assert "&" not in block


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "", "x", "/a\nb"])
def test_only_our_own_pages_are_gone_on_to(path: str) -> None:
    assert safe_next(path) == "/"


def test_where_to_go_on_survives_the_log_in() -> None:
    assert login_address("/history?q=a&b=c") == "/login?next=%2Fhistory%3Fq%3Da%26b%3Dc"
    assert safe_next("/history?q=a&b=c") == "/history?q=a&b=c"


def test_a_token_belongs_to_one_cookie() -> None:
    assert is_csrf_token("cookie", csrf_token("cookie"))
    assert not is_csrf_token("cookie", csrf_token("other"))
    assert not is_csrf_token("cookie", None)
    assert not is_csrf_token("cookie", "é")


def test_roles_amount_to_scopes() -> None:
    assert SCOPES[Role.OPERATOR] == {Scope.SUBMIT, Scope.READ, Scope.REVIEW}
    assert SCOPES[Role.DATA_SCIENTIST] == {Scope.READ, Scope.REVIEW}
    assert SCOPES[Role.ADMINISTRATOR] == set(Scope)


def test_a_spreadsheet_computes_nothing_that_came_from_outside() -> None:
    answer = csv_answer("x.csv", ["head"], [["=1+1", "-2", "@x", 'a"b', 7]])
    assert 'filename="x.csv"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
def test_a_spreadsheet_is_read_page_by_page_and_no_row_is_lost(count: int) -> None:
    ids = [new_id() for _ in range(count)][::-1]

    def read(before: UUID | None, limit: int) -> list[tuple[UUID, list[UUID]]]:
        start = 0 if before is None else ids.index(before) + 1
        return [(one, [one]) for one in ids[start : start + limit]]

    assert list(paged_rows(read)) == [[one] for one in ids]
