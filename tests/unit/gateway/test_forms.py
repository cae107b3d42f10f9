"""Forms come in pieces of any size."""

import asyncio
import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.forms import FormReader
from services.gateway.intake import Intake
from services.gateway.problems import Problem

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--boundary-not-quite\r\n--boun"
BODY = b"\r\n".join(
    [
        b"--boundary",
        b'Content-Disposition: form-data; name="metadata"',
        b"",
        '{"ort": "Köln"}'.encode(),
        b"--boundary",
        b'Content-Disposition: form-data; name="file"; filename="a \\"b\\".png"',
        b"Content-Type: image/png",
        b"Content-Length: " + str(len(PNG)).encode(),
        b"",
        PNG,
        b"--boundary--",
        b"",
    ]
)


def read(chunks: list[bytes], limit: int = 10_000) -> tuple[FormReader, Intake]:
    intake = Intake(limit, 64)
    form = FormReader(b"boundary", intake, frozenset({"metadata"}))
    for chunk in chunks:
        form.feed(chunk)
        asyncio.run(intake.settle())
    form.finish()
    return form, intake


@given(st.lists(st.integers(0, len(BODY)), max_size=6))
def test_however_the_body_is_cut_the_form_is_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(BODY)]
    form, intake = read([BODY[start:end] for start, end in itertools.pairwise(places)])
    document = intake.finish(form.file_type, form.filename)
    assert form.texts == {"metadata": '{"ort": "Köln"}'}
    assert (document.filename, document.media_type, document.size) == ('a "b".png', "image/png", len(PNG))
    assert document.sha256 == hashlib.sha256(PNG).hexdigest()
    assert document.file.read() == PNG
    document.close()


@given(st.integers(0, len(BODY) - 5))
def test_cut_short_it_is_refused(end: int) -> None:
    with pytest.raises(Problem) as refused:
        read([BODY[:end]])
    assert refused.value.code in ("length_mismatch", "invalid_request")


@given(st.binary(max_size=300))
def test_whatever_comes_instead_it_is_a_problem(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read([body])
    assert refused.value.status in (400, 422)


def test_the_limit_holds_while_it_comes() -> None:
    with pytest.raises(Problem) as refused:
        read([BODY], limit=100)
    assert refused.value.code == "document_too_large"
