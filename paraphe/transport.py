"""HTTP with patience: what may safely be asked again is asked again."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from ipaddress import ip_address
from typing import Any

import httpx

from paraphe.api_errors import ParapheApiError, ServerUnreachableError

# The server says it did not take the request: asking again is safe whatever was asked.
_REFUSED_FOR_NOW = frozenset({429, 503})
# Something between us failed: the request may have been carried out.
_UNCERTAIN = frozenset({500, 502, 504})
_LONGEST_PAUSE_S = 30.0


class Transport:
    """One connection pool to one server. Safe to share between threads."""

    def __init__(self, base_url: str, api_key: str | None, *, timeout_s: float, retries: int) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._retries = retries
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
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                answer = self._http.request(method, path, timeout=self._timeout(answer_within_s), **build())
            except httpx.TransportError as error:
                if last or not (repeatable or isinstance(error, httpx.ConnectError)):
                    raise ServerUnreachableError(self.base_url, str(error) or type(error).__name__) from error
                time.sleep(pause_s(attempt, None))
                continue
            if answer.is_success:
                return answer
            if last or not worth_repeating(answer, repeatable=repeatable):
                raise api_error(answer)
            time.sleep(pause_s(attempt, answer.headers.get("Retry-After")))
        raise AssertionError("the last try either returns or raises")

    def stream(self, path: str, headers: Mapping[str, str]) -> AbstractContextManager[httpx.Response]:
        """A GET, asked once, whose body is read as it comes."""
        return self._http.stream("GET", path, headers=dict(headers), timeout=self._timeout(30))

    def put_elsewhere(self, url: str, content: Any, size: int) -> None:
        """PUT to a presigned URL: no key of ours goes there."""
        with _http_to(url, timeout=self._timeout(600)) as http:
            answer = http.put(url, content=content, headers={"Content-Length": str(size)})
        if not answer.is_success:
            raise ParapheApiError(answer.status_code, {"code": "upload_refused", "detail": answer.text[:200]})

    def _timeout(self, extra_s: float) -> httpx.Timeout:
        return httpx.Timeout(self._timeout_s + extra_s, connect=min(self._timeout_s, 5.0))


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
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200]}
    return ParapheApiError(answer.status_code, problem if isinstance(problem, dict) else {})


def worth_repeating(answer: httpx.Response, *, repeatable: bool) -> bool:
    """Whether this refusal may pass. ``repeatable``: asking again is safe also if the request was carried out."""
    return answer.status_code in _REFUSED_FOR_NOW or (repeatable and answer.status_code in _UNCERTAIN)


def pause_s(attempt: int, retry_after: str | None) -> float:
    """Seconds until the next try: what the server asked for, else doubling, spread so that clients do not march."""
    if retry_after and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE_S)
    pause = min(0.2 * float(2**attempt), _LONGEST_PAUSE_S)
    return pause * random.uniform(0.7, 1.3)  # noqa: S311 - no secret
