"""Choose the folder of an app that Nginx serves, by static.json or by the files present.

Usage: site.py DIRECTORY RESULT. Writes what bin/release prints into RESULT and prints what was
chosen, each warning as a line ``Warning: ...``; or prints why there is nothing to serve and, on the
next lines, what to do, with exit status 1. The keys of static.json are those of Heroku's static
buildpack. Standard library only.
"""

import json
import sys
from pathlib import Path

FOLDERS = (".", "public", "dist", "build", "out", "_site", "public_html", "site")
BUILT = ("dist", "build", "out", "_site", "public", "public_html", "site", ".")
KNOWN = frozenset({"root", "routes", "error_page", "clean_urls"})
FILE_MAX_BYTES = 1 << 16
# After a build by a package.json, if nothing else says what the app is.
NOT_FOUND = (
    "The package.json says how to build the app, but not how to start it.",
    'For a site, name the folder that the build creates: echo \'{"root": "dist"}\' > static.json',
    'For a program, say how to start it: npm pkg set scripts.start="node index.js"',
)
EACH_ADDRESS = "If it routes in the browser, serve index.html for every URL with, in static.json:"


class WrongError(Exception):
    """A problem that the user has to fix."""


def settings(root: Path) -> dict[str, object]:
    """The content of static.json, or an empty dict."""
    path = root / "static.json"
    if not path.is_file() or path.is_symlink():
        return {}
    try:
        found = json.loads(path.read_text()[:FILE_MAX_BYTES])
    except (ValueError, RecursionError) as error:
        raise WrongError(f"static.json is not valid JSON: {error}.") from error
    if not isinstance(found, dict):
        raise WrongError('static.json must be an object: {"root": "public"}.')
    return found


def chosen(root: Path, given: object) -> str:
    """The folder to serve, relative to root."""
    if given is not None:
        if not isinstance(given, str) or not given.strip("/"):
            raise WrongError('"root" in static.json must name a folder, such as "public".')
        folder = given.strip("/")
        if ".." in folder.split("/") or not (root / folder).resolve().is_relative_to(root):
            raise WrongError(f'"root" in static.json points outside the app: {given!r}.')
        if not (root / folder).is_dir():
            raise WrongError(f'There is no folder {given!r}, which "root" in static.json names.')
        return folder
    folders = BUILT if (root / "package.json").is_file() else FOLDERS
    for folder in folders:
        if (root / folder / "index.html").is_file():
            return folder
    raise WrongError("There is no index.html in the app, nor in " + ", ".join(FOLDERS[1:]) + ".")


def fallback(routes: object) -> str | None:
    """The file for every URL, from routes like {"/**": "index.html"}."""
    if routes is None:
        return None
    if not isinstance(routes, dict) or set(routes) - {"/**", "/*"}:
        raise WrongError('"routes" in static.json can only be {"/**": "index.html"}.')
    for target in routes.values():
        if not isinstance(target, str):
            raise WrongError('"routes" in static.json must name a file.')
        return target.strip("/")
    return None


def present(root: Path, folder: str, name: str | None, key: str) -> str | None:
    """Check a file of the folder that static.json names: it must exist and not be a link."""
    if name is None:
        return None
    top = (root / folder).resolve()
    if not (top / name).is_file():
        raise WrongError(f'There is no {folder}/{name}, which "{key}" in static.json names.')
    if (top / name).resolve() != top / name:
        raise WrongError(f'{folder}/{name}, which "{key}" in static.json names, is a link.')
    return name


def main() -> int:
    """Choose the folder, and print the choice."""
    root = Path(sys.argv[1]).resolve()
    only_built = (root / "package.json").is_file() and not (root / "static.json").exists()
    try:
        asked = settings(root)
        folder = chosen(root, asked.get("root"))
        every = present(root, folder, fallback(asked.get("routes")), "routes")
        page = asked.get("error_page")
        if page is not None and not isinstance(page, str):
            raise WrongError('"error_page" in static.json must name a file.')
        missing = present(root, folder, page.strip("/") if page else None, "error_page")
    except WrongError as error:
        print(error)
        hint = ("See docs/reference/static.md of the platform.",)
        print("\n".join(NOT_FOUND if only_built else hint))
        return 1
    if missing is None and (root / folder / "404.html").is_file():
        missing = "404.html"
    site = {"root": folder, "fallback": every, "error_page": missing}
    Path(sys.argv[2]).write_text(json.dumps({"static": site}) + "\n")
    print(f"Nginx serves the files in {'the top folder' if folder == '.' else folder + '/'}")
    if every:
        print(f"{every} is served for URLs without a file")
    if only_built:
        routes = {"root": folder, "routes": {"/**": "index.html"}}
        print(EACH_ADDRESS, json.dumps(routes), sep="\n")
    for key in sorted(set(asked) - KNOWN):
        print(f'Warning: "{key}" in static.json is not supported and has no effect.')
    return 0


if __name__ == "__main__":
    sys.exit(main())
