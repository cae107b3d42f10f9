"""HTTP with patience: what may safely be asked again is asked again."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from paraphe.api_errors import ForeignAnswerError, ParapheApiError, ParapheClientError, ServerUnreachableError

T = TypeVar("T")

# The server says it did not take the request: asking again is safe whatever was asked.
_REFUSED_FOR_NOW = frozenset({429, 503})
# Something between us failed: the request may have been carried out.
_UNCERTAIN = frozenset({500, 502, 504})
# Nothing was asked: asking again is safe here, too.
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)
_LONGEST_PAUSE_S = 30.0


class Transport:
    """One connection pool to one server. Safe to share between threads.

    ``first_retries``: how often to ask again while nothing at all has ever answered; as often as else when None.
    ``on_unreachable``: told of each failure to reach the server after which it is tried again.

    Raises:
        ParapheClientError: no address of a server, or no key.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        timeout_s: float,
        retries: int,
        first_retries: int | None = None,
        on_unreachable: Callable[[ServerUnreachableError], None] | None = None,
    ) -> None:
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise ParapheClientError("The API key has characters that no key has; copy it again.")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.base_url = _checked(base_url.strip().rstrip("/"))
        self._timeout_s = timeout_s
        self._retries = retries
        self._first_retries = first_retries
        self.on_unreachable: Callable[[ServerUnreachableError], None] = on_unreachable or (lambda _: None)
        self._has_answered = False
        self._http = _http_to(self.base_url, base_url=self.base_url, headers=headers, timeout=self._timeout(0))

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool = True,
        answer_within_s: float = 0.0,
        build: Callable[[], Mapping[str, Any]] = dict,
    ) -> httpx.Response:
        """Ask, again after faults, and return the successful answer.

        ``build`` makes httpx's keyword arguments anew for each try (a file must be read from its start again);
        ``answer_within_s`` is how long the server was asked to hold the answer back.

        Raises:
            ParapheApiError: the server refused.
            ServerUnreachableError: no answer.
        """

        def ask() -> httpx.Response:
            return self._http.request(method, path, timeout=self._timeout(answer_within_s), **build())

        answer = self._patiently(ask, self.base_url, repeatable=repeatable)
        if not answer.is_success:
            raise api_error(answer)
        return answer

    def ask(self, read: Callable[[Any], T], method: str, path: str, **how: Any) -> T:
        """What ``read`` makes of the JSON that a ``request`` brings; ``how`` is asked as there.

        Raises:
            ForeignAnswerError: it is not what ``read`` knows.
        """
        answer = self.request(method, path, **how)
        with self.reading(answer):
            return read(answer.json())

    def delete(self, path: str) -> None:
        """DELETE by a ``request``. What answers with a page has deleted nothing."""
        answer = self.request("DELETE", path)
        if answer.status_code != httpx.codes.NO_CONTENT:
            raise self.foreign(answer)

    @contextmanager
    def reading(self, answer: httpx.Response) -> Iterator[None]:
        """Whatever goes wrong in reading an answer is the answer's fault: ForeignAnswerError."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self.foreign(answer) from error

    def foreign(self, answer: httpx.Response) -> ForeignAnswerError:
        """The error of an answer that is not Paraphe's."""
        kind = answer.headers.get("Content-Type", "of no type")
        return ForeignAnswerError(self.base_url, f"status {answer.status_code}, {kind}")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """A GET, asked once, whose body is read as it comes.

        Raises:
            ForeignAnswerError: it cannot be decoded.
            httpx.RequestError: no answer, or not to its end.
        """
        with self._http.stream("GET", path, headers=dict(headers), timeout=self._timeout(30)) as answer:
            self._has_answered = True
            try:
                yield answer
            except httpx.DecodingError as error:
                raise ForeignAnswerError(self.base_url, str(error)) from error

    def put_elsewhere(self, url: str, file: Path) -> None:
        """PUT a file to a presigned URL, again after faults: no key of ours goes there. Raises as ``request`` does."""

        def put() -> httpx.Response:
            with file.open("rb") as content:
                return http.put(url, content=content, headers={"Content-Length": str(file.stat().st_size)})

        with _http_to(url, timeout=self._timeout(600)) as http:
            # Without its query: that is a key of a kind.
            answer = self._patiently(put, str(httpx.URL(url).copy_with(query=None)), repeatable=True)
        if not answer.is_success:
            raise ParapheApiError(answer.status_code, {"code": "upload_refused", "detail": answer.text[:200]})

    def is_nobody_there(self, error: httpx.RequestError, tries: int) -> bool:
        """Whether, after so many tries, it is likely that no server was started, or that the address is wrong."""
        if self._first_retries is None or self._has_answered:
            return False
        return isinstance(error, _NOT_CONNECTED) and tries > self._first_retries

    def _patiently(self, ask: Callable[[], httpx.Response], url: str, *, repeatable: bool) -> httpx.Response:
        """The first answer, success or not, that would not be another one if asked again."""
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                answer = ask()
            except httpx.DecodingError as error:
                raise ForeignAnswerError(url, str(error)) from error
            except httpx.TransportError as error:
                may_repeat = repeatable or isinstance(error, _NOT_CONNECTED)
                unreachable = ServerUnreachableError(url, reason(error))
                if last or not may_repeat or self.is_nobody_there(error, attempt + 1):
                    raise unreachable from error
                self.on_unreachable(unreachable)
                time.sleep(pause_s(attempt, None))
                continue
            self._has_answered = True
            if last or answer.is_success or not worth_repeating(answer, repeatable=repeatable):
                return answer
            time.sleep(pause_s(attempt, answer.headers.get("Retry-After")))
        raise AssertionError("the last try either returns or raises")

    def _timeout(self, extra_s: float) -> httpx.Timeout:
        return httpx.Timeout(self._timeout_s + extra_s, connect=min(self._timeout_s, 5.0))


def id_step(text: str) -> str:
    """An id as one step of a path, whatever it has in it: ``../keys`` must not lead to the keys."""
    return quote(text, safe="", errors="replace").replace(".", "%2E")


def _checked(address: str) -> str:
    with suppress(httpx.InvalidURL, ValueError):
        url = httpx.URL(address)
        if url.scheme in ("http", "https") and url.host and (url.port or 0) < 65536:
            return address
    raise ParapheClientError(f"{address} is no address of a server; give one like http://127.0.0.1:8000")


def _http_to(url: str, **options: Any) -> httpx.Client:
    """A client for that server. On this machine it goes without the environment's proxy, but with its certificates."""
    return httpx.Client(verify=httpx.create_ssl_context(), trust_env=not _is_on_this_machine(url), **options)


def _is_on_this_machine(url: str) -> bool:
    host = httpx.URL(url).host
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def api_error(answer: httpx.Response) -> ParapheApiError:
    """The problem an answer describes, or its bare status where something else than Paraphe answered."""
    if answer.has_redirect_location:
        elsewhere = f"It sends on to {answer.headers['Location']}; give the address of that server."
        return ParapheApiError(answer.status_code, {"detail": elsewhere})
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200]}
    return ParapheApiError(answer.status_code, problem if isinstance(problem, dict) else {})


def reason(error: httpx.RequestError) -> str:
    """Why there was no answer; some errors have only a name."""
    return str(error) or type(error).__name__


def worth_repeating(answer: httpx.Response, *, repeatable: bool) -> bool:
    """Whether this refusal may pass. ``repeatable``: asking again is safe also if the request was carried out."""
    return answer.status_code in _REFUSED_FOR_NOW or (repeatable and answer.status_code in _UNCERTAIN)


def pause_s(attempt: int, retry_after: str | None) -> float:
    """Seconds until the next try: what the server asked for, else doubling, spread so that clients do not march."""
    if retry_after and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE_S)
    pause = min(0.2 * float(2**attempt), _LONGEST_PAUSE_S)
    return pause * random.uniform(0.7, 1.3)  # noqa: S311 - no secret
