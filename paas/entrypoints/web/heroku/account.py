"""/account"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.errors import FORBIDDEN, ApiError
from paas.entrypoints.web.heroku.platform import Platform

# The platform keeps no time for its users.
BEGINNING = "2000-01-01T00:00:00Z"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.post("/auth")
    def log_in() -> Response:
        """What ``heroku login`` asks for, before it opens a browser."""
        raise ApiError(
            FORBIDDEN,
            "Nobody logs in here with a browser. Create a token (paas tokens:create), and set "
            "HEROKU_API_KEY to it; or give it as the password of: heroku login -i",
        )

    @app.get("/account")
    @app.get("/users/~")
    def account() -> Response:
        return jsonify(serialize(platform.ask("auth:whoami"), platform.domain))


def serialize(user: Mapping[str, Any], domain: str) -> dict[str, object]:
    """Heroku's ``account``. The e-mail address is none that gets mail: it names the user."""
    return {
        "acknowledged_msa": True,
        "acknowledged_msa_at": BEGINNING,
        "allow_tracking": False,
        "beta": False,
        "country_of_residence": None,
        "created_at": BEGINNING,
        "default_organization": None,
        "default_team": None,
        "delinquent_at": None,
        "email": email(user["name"], domain),
        "federated": False,
        "id": ids.named("user", user["name"]),
        "identity_provider": None,
        "italian_customer_terms": None,
        "italian_partner_terms": None,
        "last_login": None,
        "name": user["name"],
        "sms_number": None,
        "suspended_at": None,
        "two_factor_authentication": False,
        "updated_at": BEGINNING,
        "verified": True,
    }


def email(name: str | None, domain: str) -> str:
    """What stands for a user or a team (``@web``) where Heroku has an e-mail address.

    Nobody: the operator, who has what belongs to no one.
    """
    if name is None:
        return f"root@{domain}"
    if name.startswith("@"):
        return f"{name[1:]}@teams.{domain}"
    return f"{name}@{domain}"


def named_by(text: str, domain: str) -> str:
    """The user or team whom such an address stands for; any other text is a name itself."""
    name, _, host = text.partition("@")
    if name and host == f"teams.{domain}":
        return f"@{name}"
    return name if name and host == domain else text


def user(name: str | None, domain: str) -> dict[str, str]:
    """A user as a part of something else."""
    return {"email": email(name, domain), "id": ids.named("user", name or "root")}
