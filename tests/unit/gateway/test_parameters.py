"""Headers, cursors and filters."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.parameters import decode_cursor, encode_cursor, metadata_filter, preferred_wait_s
from services.gateway.problems import Problem


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=10", 10),
        ("Wait = 10", 10),
        ("respond-async, wait=10", 10),
        ('wait="10"; foo=bar', 10),
        ("wait=100", 60),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=ten", 0),
        ("await=10", 0),
        ("foo=wait=10", 0),
    ],
)
def test_only_a_plain_number_of_seconds_is_a_wait(prefer: str | None, seconds: float) -> None:
    assert preferred_wait_s(prefer, 60) == seconds


@given(st.uuids())
def test_cursors_come_back(job_id: UUID) -> None:
    assert decode_cursor(encode_cursor(job_id)) == job_id


@pytest.mark.parametrize("text", ["", "!", "YQ", "ä", "A" * 30, "A" * 22 + "\0"])
def test_any_other_text_is_a_problem(text: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(text)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("case", "case", []),
        ("case:7", "case", ["7", 7]),
        ("case:1.5", "case", ["1.5", 1.5]),
        ("case:true", "case", ["true", True]),
        ("case:null", "case", ["null", None]),
        ("case:", "case", [""]),
        ("case:a:b", "case", ["a:b"]),
        ("case:[1]", "case", ["[1]"]),
        ("case:NaN", "case", ["NaN"]),
        ("case:1e999", "case", ["1e999"]),
        (f"case:{10**400}", "case", [str(10**400), 10**400]),
        (f"case:{'9' * 5000}", "case", ["9" * 5000]),
        (f"case:{'[' * 100_000}", "case", ["[" * 100_000]),
    ],
)
def test_metadata_values_may_be_text_or_what_it_reads_as(text: str, key: str, values: list[object]) -> None:
    assert metadata_filter(text) == (key, values)
