"""Static files and error pages of an app, for nginx's templates."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.proxy.error_pages import nginx_pages, pages_directory
from paas.adapters.proxy.nginx.escaping import path_text
from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.domain.routing.sites import Site, SlugFolder, Static
from paas.domain.routing.statics import static_folder, static_path
from paas.settings import Settings

# Where Debian has the modules that nginx loads.
MODULES = Path("/etc/nginx/modules-enabled")
MAINTENANCE_RETRY_S = 60
NOT_RUNNING_RETRY_S = 5
MAINTENANCE = "maintenance"
UNDEPLOYED = "undeployed"


@dataclass(frozen=True, slots=True)
class Modules:
    """Which of nginx's optional modules are loaded."""

    brotli_static: bool = False
    stream: bool = False


NO_MODULES = Modules()


def installed_modules() -> Modules:
    """Those of the nginx that is installed here."""
    return Modules(
        brotli_static=bool(list(MODULES.glob("*http-brotli-static.conf"))),
        stream=bool(list(MODULES.glob("*mod-stream.conf"))),
    )


def write_pages(settings: Settings) -> None:
    """The platform's own error pages, where nginx reads them; no reload is needed."""
    make_directory(pages_directory(settings), mode=0o711)
    for path, text in nginx_pages(settings).items():
        if read_bytes(path) != text.encode():
            write_atomic(path, text, mode=0o644)


def error_values(site: Site, settings: Settings) -> dict[str, object]:
    """The templates' values for the pages in place of the app; checked here."""
    errors = _errors(site)
    own = [] if not site.page or not site.closed else [(MAINTENANCE, site.page)]
    own += [
        (errors[status], page)
        for status, page in sorted(site.error_pages.items())
        if errors.get(status) == str(status)
    ]
    return {
        "errors": errors,
        "error_pages": path_text(pages_directory(settings)),
        "own_pages": [(name, path_text(page), path_text(page.parent)) for name, page in own],
        "retry_after_s": _retry_after_s(site, errors),
    }


def _errors(site: Site) -> dict[int, str]:
    """Which page the proxy's own answers with a status use."""
    if site.closed:
        return {503: MAINTENANCE}
    # Where the app is not asked: below a static path, and in a folder without a page for it.
    missing = {404: "404"}
    if site.endpoints:
        return {502: "502", 504: "504"} | (missing if site.statics else {})
    if site.folder:
        return {} if site.folder.files.error_page else missing
    return {503: "503"} if site.deployed else {404: UNDEPLOYED}


def _retry_after_s(site: Site, errors: Collection[int]) -> dict[int, int]:
    """The Retry-After value, by status."""
    if site.closed:
        return {503: MAINTENANCE_RETRY_S}
    retry = {503: NOT_RUNNING_RETRY_S} if 503 in errors else {}
    return retry | ({429: site.settings.retry_after_s} if site.settings.is_limited else {})


def static_values(site: Site) -> list[dict[str, object]]:
    """What the templates say of the static paths; none where nobody is to be answered."""
    if site.closed or not (site.endpoints or site.folder):
        return []
    return [_static(site.app_id, number, static) for number, static in enumerate(site.statics)]


def _static(app_id: int, number: int, static: Static) -> dict[str, object]:
    prefix = static_path(static.path).removesuffix("/")
    start = "^" + prefix.replace(".", "[.]") + "/(?!(?:.*/)?[.])"
    cache = f"$paas_cache_{app_id}_{number}" if static.hashed else static.cache
    return {
        "prefix": prefix,
        # The address of a file, and one that ends with a slash: its index.html.
        "patterns": [
            (start + "(?<paas_file>.*[^/])$", ""),
            (start + "(?<paas_file>(?:.*/)?)$", "index.html"),
        ],
        "root": path_text(static.folders[0].slug.parent),
        "folders": [_below(folder) for folder in static.folders],
        "cache": cache,
        "hashed": static.hashed,
        "unhashed": static.cache,
    }


def _below(folder: SlugFolder) -> str:
    return path_text(Path("/", folder.slug.name, static_folder(folder.name)))
