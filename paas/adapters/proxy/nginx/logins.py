"""The files of names and passwords that nginx asks visitors for (auth_basic_user_file)."""

from paas.adapters.proxy.account import proxy_account
from paas.adapters.proxy.nginx.site_conf import logins_file, render_logins
from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.domain.routing.sites import Site
from paas.settings import Settings


def write_logins(settings: Settings, site: Site) -> None:
    """Write it before the site's file, which names it. Nginx's workers read it at each request."""
    if not site.settings.users:
        return
    group = proxy_account(settings).pw_gid
    path = logins_file(settings, site)
    make_directory(path.parent, mode=0o710, owner=(0, group))
    write_atomic(path, render_logins(site), mode=0o640, owner=(0, group))


def remove_logins(settings: Settings, app_id: int, present: Site | None = None) -> None:
    """Delete all of an app but those of the site that is served; no error if there are none."""
    keep = logins_file(settings, present) if present and present.settings.users else None
    for path in settings.paths.nginx_logins.glob(f"{app_id:d}-*"):
        if path != keep:
            remove(path)
