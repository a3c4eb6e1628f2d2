"""apps:create, apps:rename and apps:destroy, which also change the git remote."""

import json
import sys

from paas.entrypoints.laptop import messages, remotes
from paas.entrypoints.laptop.call import (
    APP_VALUED,
    Call,
    address_of,
    command_of,
    named_app,
    positional,
    ssh,
)


def create(call: Call) -> int:
    """apps:create, which also adds the git remote."""
    status, output = ssh(call, capture=True)
    sys.stdout.write(output)
    sys.stdout.flush()
    name = _created(output)
    if status != 0 or name is None or not remotes.in_work_tree():
        return status
    url = call.server.git_url(name)
    present = remotes.url_of(call.remote)
    if present is None:
        if remotes.git("remote", "add", "--", call.remote, url) is None:
            messages.warn(f"The git remote could not be added: git remote add {call.remote} {url}")
        else:
            messages.step(f"Added the git remote {call.remote}: {url}")
            messages.detail(f"Deploy with: git push {call.remote} main")
    elif present != url:
        messages.warn(f"There is already a git remote {call.remote}, for {present}.")
        messages.warn(f"To deploy {name} from here: git remote set-url {call.remote} {url}")
        messages.warn(f"To keep both: git remote add {name} {url}, then: paas ps -r {name}")
    return status


def follow(call: Call) -> int:
    """apps:rename and apps:destroy, which also change or remove the git remote of the app."""
    command = command_of(call.words)
    status, _ = ssh(call)
    words = positional(call.words, (*APP_VALUED, "--confirm"))[1:]
    old = named_app(call)
    if command == "apps:rename":
        old = words[0] if len(words) == 2 else old
        new = words[-1] if words else None
    else:
        old = words[0] if words else old
        new = None
    url = remotes.url_of(call.remote)
    remote = remotes.parse_url(url) if url else None
    if status != 0 or remote is None or remote.app is None or remote.app != old:
        return status
    if address_of(remote.server) != address_of(call.server):
        return status
    if new is None:
        remotes.git("remote", "remove", call.remote)
        messages.step(f"Removed the git remote {call.remote}, which pointed to {old}")
    else:
        remotes.git("remote", "set-url", call.remote, remote.server.git_url(new))
        messages.step(f"The git remote {call.remote} now points to {new}")
    return status


def _created(output: str) -> str | None:
    """The name of the new app, from its git URL: in JSON, or after the bar (Heroku's form)."""
    try:
        url = str(json.loads(output)["git_url"])
    except (ValueError, KeyError, TypeError):
        url = output.strip().rpartition(" | ")[2]
    remote = remotes.parse_url(url)
    return remote.app if remote else None
