"""Whatever goes wrong at the object store is told as one kind of error, in words that say what to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread

import pytest
from pydantic import SecretStr

from shared.domain.errors import ErrorCode, TemporaryError
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings

S3_FAULT = "<?xml version='1.0'?><Error><Code>{}</Code><Message>m</Message><Resource>/b/o</Resource></Error>"


@contextmanager
def answering(status: int, content_type: str, body: str) -> Iterator[ObjectStore]:
    """A store of which every answer is this one."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    for verb in ("GET", "HEAD", "PUT", "DELETE"):
        setattr(Handler, f"do_{verb}", Handler.answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        key = SecretStr("key")
        yield ObjectStore(ObjectsSettings(endpoint=f"127.0.0.1:{server.server_port}", access_key=key, secret_key=key))
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "content_type", "body", "told"),
    [
        (500, "application/xml", S3_FAULT.format("InternalError"), r"refused: InternalError\.$"),
        (507, "application/xml", S3_FAULT.format("XMinioStorageFull"), r"refused: XMinioStorageFull\.$"),
        (403, "application/xml", S3_FAULT.format("SignatureDoesNotMatch"), r"refused: SignatureDoesNotMatch\.$"),
        (502, "text/html", "<h1>Bad gateway</h1>", r"speaks no S3: check the endpoint\.$"),
        (404, "text/html", "<h1>Not found</h1>", r"speaks no S3: check the endpoint\.$"),
    ],
)
def test_what_the_store_answers_is_told(status: int, content_type: str, body: str, told: str) -> None:
    with answering(status, content_type, body) as store, pytest.raises(TemporaryError, match=told) as caught:
        store.put("uploads/one", BytesIO(b"four"), 4, "image/png")
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE


def test_an_answer_without_a_body_is_told_by_its_status() -> None:
    with answering(503, "text/plain", "") as store, pytest.raises(TemporaryError, match=r"refused: HTTP status 503\.$"):
        store.size("uploads/one")


def test_a_store_that_is_not_there_cannot_be_reached() -> None:
    key = SecretStr("key")
    nobody = ObjectStore(ObjectsSettings(endpoint="127.0.0.1:9", access_key=key, secret_key=key))
    with pytest.raises(TemporaryError, match=r"cannot be reached \(MaxRetryError\)\.$"):
        nobody.size("uploads/one")
