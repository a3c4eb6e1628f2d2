"""The pages that a proxy shows in place of an app, nginx-templates/pages. Pure.

One text for every kind of proxy: only the way to write the request's id differs.
"""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from paas.adapters.proxy.nginx.escaping import render
from paas.settings import Settings

KINDS = ("html", "json")
# nginx replaces it in its own pages only (server side includes); it is 32 hexadecimal digits.
BEHIND_REQUEST_ID = '<!--# echo var="http_x_request_id" -->'
NGINX_REQUEST_ID = '<!--# echo var="paas_request_id" -->'
LOGS = "If this is your app, its log says more: paas logs"


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """The text of a page. owner: for the app's owner."""

    status: HTTPStatus
    title: str
    text: str
    owner: str | None = LOGS
    has_id: bool = True


# By name. 502 and 504 are used for this server's own answers only: an app's pass through as is.
PAGES = {
    "400": ErrorPage(
        HTTPStatus.BAD_REQUEST,
        "This request is not valid",
        "What was sent cannot be understood, or it came by HTTP to a port of HTTPS. Please check "
        "the address.",
    ),
    "401": ErrorPage(
        HTTPStatus.UNAUTHORIZED,
        "Please log in",
        "This page needs a user name and a password. Load it again to be asked for them.",
        "If this is your app: paas http-auth lists who may log in.",
    ),
    "403": ErrorPage(
        HTTPStatus.FORBIDDEN,
        "Access denied",
        "This page is not open to your network address. Please try another network, or ask the "
        "person who sent you here.",
        "If this is your app: paas nginx:report shows what it allows and denies.",
    ),
    "404": ErrorPage(
        HTTPStatus.NOT_FOUND,
        "Page not found",
        "No page has this address. Please check it.",
    ),
    "405": ErrorPage(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This method is not allowed",
        "This address does not accept requests of this kind (method).",
    ),
    "408": ErrorPage(
        HTTPStatus.REQUEST_TIMEOUT,
        "This request took too long",
        "It did not arrive completely in time. Please try again.",
    ),
    "413": ErrorPage(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "This is too large",
        "The app does not accept that much at once. Please send something smaller.",
        "If this is your app: paas nginx:set client-max-body-size allows more.",
    ),
    "414": ErrorPage(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "This address is too long",
        "Please try a shorter one.",
    ),
    "421": ErrorPage(
        HTTPStatus.MISDIRECTED_REQUEST,
        "This request was misdirected",
        "The connection was made for another name than the one requested now. Please load the page "
        "again.",
        None,
        has_id=False,
    ),
    "429": ErrorPage(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "So many requests came from your network address that this one was refused. Please wait "
        "a moment, "
        "then try again.",
        "If this is your app: paas nginx:report shows its limits.",
    ),
    "431": ErrorPage(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The headers of this request are too large",
        "Most of them are cookies, as a rule: please delete those of this site, then try again.",
    ),
    "500": ErrorPage(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The server made a mistake",
        "It could not finish this request, which the app did not cause. Please try again in a "
        "moment.",
    ),
    "501": ErrorPage(
        HTTPStatus.NOT_IMPLEMENTED,
        "This request is of an unknown kind",
        "The server does not know what it asks for. A browser does not send such requests.",
    ),
    "502": ErrorPage(
        HTTPStatus.BAD_GATEWAY,
        "The app did not answer",
        "It may be starting, or have stopped in the middle of this request. Please try again in a "
        "moment.",
    ),
    "503": ErrorPage(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The app is not running",
        "No web process of it runs at the moment. Please try again later.",
        "If this is your app: paas ps shows its processes.",
    ),
    "504": ErrorPage(
        HTTPStatus.GATEWAY_TIMEOUT,
        "The app took too long",
        "It did not answer in time. Please try again in a moment.",
    ),
    "maintenance": ErrorPage(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Maintenance",
        "This app is being worked on and will be back soon.",
        None,
    ),
    "undeployed": ErrorPage(
        HTTPStatus.NOT_FOUND,
        "Nothing is deployed here yet",
        "This app has a name, and no version of it was ever deployed. Please try again later.",
        "If this is your app: git push deploy main",
    ),
    "unknown": ErrorPage(
        HTTPStatus.NOT_FOUND,
        "There is no app here",
        "No app of this server answers to this name. Please check the address.",
        "If this is your app, it answers once it is deployed: git push deploy main. If this is "
        "your domain: paas domains:add",
        has_id=False,  # such requests are in no log
    ),
}


def render_page(name: str, kind: str, request_id: str) -> str:
    """A page's text. kind: html or json. request_id: the proxy's syntax to insert it."""
    page = PAGES[name]
    return render(
        f"pages/page.{kind}.j2",
        status=page.status.value,
        reason=page.status.phrase,
        title=page.title,
        text=page.text,
        owner=page.owner,
        request_id=request_id if page.has_id else None,
    )


def pages_directory(settings: Settings) -> Path:
    """Where nginx finds its pages."""
    return settings.paths.nginx_pages


def nginx_pages(settings: Settings) -> dict[Path, str]:
    """The text of each of nginx's pages, by path."""
    folder = pages_directory(settings)
    names = ((name, kind) for name in PAGES for kind in KINDS)
    id = NGINX_REQUEST_ID if settings.proxy == "nginx" else BEHIND_REQUEST_ID
    return {folder / f"{n}.{k}": render_page(n, k, id) for n, k in names}
