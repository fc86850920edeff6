"""The pages: a list of requests and publications, the reports, and the files of the bundles.

Airflow mounts the applications of plugins without asking who is there. So this one asks, for every page: the same
cookie or token that Airflow's own pages ask for. The warehouse is read as the analysts' role, which cannot write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from starlette.exceptions import HTTPException as AnyHTTPException

from dti import datadocs
from dti.clock import ZONE
from dti.errors import DtiError
from dti.settings import get_settings
from dti_airflow.web import files
from dti_airflow.web.lists import publications, requests

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
"""No page here needs a script, a form or anything from elsewhere; so none gets it, whatever a name holds."""

_pages = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
_pages.filters["moment"] = lambda moment: f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" if moment else ""


def create_app() -> FastAPI:
    """The application, for logged-in users only: 401 otherwise, on every path."""
    app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_guarded)
    app.exception_handler(AnyHTTPException)(_refused)
    app.get("/", response_class=HTMLResponse)(index)
    app.get("/requests/{request_id}/{name}")(request_file)
    app.get("/quality/", response_class=HTMLResponse)(quality)
    app.get("/quality/{night}/{feed}.html")(quality_page)
    app.get("/publications/{publication_id}/", response_class=HTMLResponse)(bundle)
    app.get("/publications/{publication_id}/{name:path}")(bundle_file)
    app.get("/{anything:path}", include_in_schema=False)(_nothing)
    return app


def index(request: Request) -> HTMLResponse:
    """All requests and publications, newest first."""
    settings = get_settings()
    try:
        asked, published = requests(settings), publications(settings)
        reported, bundled = files.with_report(settings), files.with_bundle(settings)
    except DtiError as fault:
        raise HTTPException(503, str(fault)) from None
    for row in asked:
        row["has_report"] = row["request_id"] in reported
    for row in published:
        row["has_bundle"] = row["publication_id"] in bundled
    return _page("index.html", request, requests=asked, publications=published)


def request_file(request_id: str, name: str) -> Response:
    """A report, for people (HTML) or programs (JSON)."""
    content = files.request_file(get_settings(), request_id, name)
    if content is None:
        raise HTTPException(404, f"no {name} of a request {request_id}")
    return Response(content, media_type=files.REQUEST_FILES[name])


def bundle(request: Request, publication_id: str) -> HTMLResponse:
    """What a publication's bundle holds."""
    sizes = files.bundle_sizes(get_settings(), publication_id)
    if sizes is None:
        raise HTTPException(404, f"no bundle of a publication {publication_id}")
    return _page("bundle.html", request, publication_id=publication_id, files=sizes)


def bundle_file(publication_id: str, name: str) -> Response:
    """One file of a bundle, to be saved."""
    content = files.bundle_file(get_settings(), publication_id, name)
    if content is None:
        raise HTTPException(404, f"no {name} of a publication {publication_id}")
    attachment = {"Content-Disposition": f'attachment; filename="{name.rpartition("/")[2]}"'}
    return Response(content, media_type=files.media_type(name), headers=attachment)


def quality(request: Request) -> HTMLResponse:
    """Nights and feeds whose data was checked, newest first."""
    return _page("quality.html", request, nights=datadocs.nights(get_settings()))


def quality_page(night: str, feed: str) -> HTMLResponse:
    """How the batches of one night and feed fared under every rule."""
    page = datadocs.page(night, feed, get_settings())
    if page is None:
        raise HTTPException(404, f"no Data Docs of {feed} for {night}")
    return HTMLResponse(page)


def _nothing(anything: str) -> None:
    raise HTTPException(404, "no such page")


def _page(name: str, request: Request, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_pages.get_template(name).render(root=request.scope.get("root_path", ""), **values), status)


def _refused(request: Request, fault: Exception) -> Response:
    """What went wrong, as a page; without a login, the way to it."""
    assert isinstance(fault, AnyHTTPException)  # noqa: S101 - the type it is registered for
    login = "/auth/login?" + urlencode({"next": str(request.url)}) if fault.status_code == 401 else ""
    return _page("refused.html", request, fault.status_code, code=fault.status_code, what=fault.detail, login=login)


async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response
