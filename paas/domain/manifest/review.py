"""app.json as a preview reads it: with what ``environments.review`` says instead.

https://devcenter.heroku.com/articles/github-integration-review-apps#the-app-json-file
"""

import json

from paas.domain.manifest.appjson import parse_app_json
from paas.domain.manifest.appjson_reader import read_app_json
from paas.domain.values.errors import PaasError

_KEYS = ("env", "formation", "addons", "buildpacks", "scripts", "cron", "healthchecks")


def for_review(content: bytes) -> bytes:
    """The app.json of a preview. Raises PaasError if it is wrong.

    A key of ``environments.review`` replaces that of the top; the vars of ``env`` are merged. Cron
    jobs are left out unless it has some: a preview is to send no mails at night.
    """
    parse_app_json(content)  # reports errors at the top level with their position in the file
    root, _ = read_app_json(content)
    top = root.entries()
    environments = top["environments"].entries() if "environments" in top else {}
    review = environments["review"].members(*_KEYS) if "review" in environments else {}
    if not review and "cron" not in top:
        return content
    merged = {name: node.value for name, node in top.items() if name != "cron"}
    merged |= {name: node.value for name, node in review.items()}
    if "env" in review and "env" in top:
        below = {name: node.value for name, node in top["env"].entries().items()}
        merged["env"] = below | {name: node.value for name, node in review["env"].entries().items()}
    found = json.dumps(merged).encode()
    try:
        parse_app_json(found)
    except PaasError as error:
        place = environments["review"].position(key=True)
        what = error.message.rpartition(": ")[2]
        raise PaasError("app-json", f"{place}, environments.review: {what}", error.hint) from error
    return found
