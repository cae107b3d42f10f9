"""Templates into pages. What is the same on every page is put in here."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.gateway.resources import Resources
from services.gateway.web import i18n
from services.gateway.web.users import here
from services.gateway.web.visitors import VISITOR_COOKIE, Visit

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
_MONTH_S = 30 * 24 * 3600
_FLASH_COOKIE = "paraphe_flash"


@cache
def static_version() -> str:
    """Changes with any static file: they are cached for ever under an address that holds it."""
    found = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a static file."""
    return f"/static/{static_version()}/{name}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        static_url=static_url, languages=i18n.LANGUAGES, version=version("paraphe"), json_block=json_block
    )
    return environment


def json_block(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">`` block, in which no text can end the block."""
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as the answer. In it: ``t``, ``user`` (or None), ``csrf_token``, ``flash`` and the values."""
    visit: Visit = request.state.visit
    gateway: Resources = request.app.state.resources
    web = gateway.settings.web
    text = (
        _environment()
        .get_template(template)
        .render(
            t=visit.t,
            user=visit.user,
            language=visit.t.language,
            csrf_token=visit.csrf_token,
            path=request.url.path,
            here=here(request),
            flash=_flash(request, visit),
            idle_s=web.idle_s,
            warn_s=min(web.warn_s, web.idle_s / 2),
            signup_open=web.signup_open,
            **values,
        )
    )
    answer = HTMLResponse(text, status)
    if visit.is_new:
        set_cookie(request, answer, VISITOR_COOKIE, visit.token, max_age=_MONTH_S)
    if _FLASH_COOKIE in request.cookies:
        answer.delete_cookie(_FLASH_COOKIE, path="/")
    return answer


def redirect(request: Request, path: str, flash: str | None = None) -> Response:
    """Go on to another page (303), which says the text of the key ``flash`` once."""
    answer = RedirectResponse(path, 303)
    if flash:
        set_cookie(request, answer, _FLASH_COOKIE, flash, max_age=30)
    return answer


def _flash(request: Request, visit: Visit) -> str | None:
    key = request.cookies.get(_FLASH_COOKIE, "")
    return visit.t(key) if key.startswith("flash.") and visit.t.has(key) else None


def set_cookie(request: Request, answer: Response, name: str, value: str, max_age: int | None = None) -> None:
    """A cookie for us alone: no script reads it, no other site's request brings it, no plain HTTP once there is TLS."""
    answer.set_cookie(name, value, max_age, path="/", secure=is_secure(request), httponly=True, samesite="lax")


def is_secure(request: Request) -> bool:
    """Whether the browser reached us over TLS."""
    gateway: Resources = request.app.state.resources
    return gateway.settings.web.behind_tls or request.url.scheme == "https"
