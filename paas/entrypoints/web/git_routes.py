"""Where git's requests are answered: below /APP.git, at git's own host and at the API's."""

from flask import Flask, Response

from paas.entrypoints.web.git import RECEIVE_PACK, UPLOAD_PACK, GitHttp


def add_git(app: Flask, git: GitHttp) -> None:
    """Have an application answer git."""

    @app.get("/<name>.git/info/refs")
    def refs(name: str) -> Response:
        return git.refs(name)

    @app.post(f"/<name>.git/{RECEIVE_PACK}")
    def receive_pack(name: str) -> Response:
        return git.exchange(name, RECEIVE_PACK)

    @app.post(f"/<name>.git/{UPLOAD_PACK}")
    def upload_pack(name: str) -> Response:
        return git.exchange(name, UPLOAD_PACK)
