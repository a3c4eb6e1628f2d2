"""Pipelines: apps that are stages of one, and which of them code is promoted to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import NewType

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import UserName, shown

PipelineName = NewType("PipelineName", str)


class Stage(StrEnum):
    """Where an app stands in its pipeline, in Heroku's words. What is reviewed goes nowhere."""

    REVIEW = "review"
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def following(self) -> "Stage | None":
        """The stage that it is promoted to, or None."""
        order = (Stage.DEVELOPMENT, Stage.STAGING, Stage.PRODUCTION)
        return dict(pairwise(order)).get(self)


@dataclass(frozen=True, slots=True)
class StageApp:
    """An app of a pipeline. id: of its place there, which another place never has."""

    id: int
    pipeline_id: int
    app_id: int
    stage: Stage
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Apps in their stages. owner: who may change it, besides admins; None: nobody else."""

    id: int
    name: PipelineName
    owner: UserName | None
    created_at: datetime
    apps: tuple[StageApp, ...] = ()

    def place(self, app_id: int) -> StageApp | None:
        """The place of an app, or None if it is not one of the pipeline."""
        return next((one for one in self.apps if one.app_id == app_id), None)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A release that was promoted. app_id, version: that release. source_...: what was promoted."""

    app_id: int
    version: int
    source_app_id: int
    source_version: int


def pipeline_name(text: str) -> PipelineName:
    """Validate the name of a pipeline: as Heroku's, lowercase letters, digits and dashes."""
    if re.fullmatch(r"[a-z][a-z0-9-]{1,29}", text) is None or text.endswith("-"):
        raise usage_error(
            "pipeline-name",
            f"{shown(text)} is not a name for a pipeline: 2 to 30 lowercase letters, digits and "
            "dashes, starting with a letter.",
            "For example: paas pipelines:create shop -a shop-staging --stage staging",
        )
    return PipelineName(text)


def stage_of(text: str) -> Stage:
    """Validate a stage. Raises PaasError."""
    try:
        return Stage(text)
    except ValueError as error:
        raise usage_error(
            "pipeline-stage",
            f"{shown(text)} is not a stage: {', '.join(Stage)}.",
            "For example: --stage production",
        ) from error


def targets(pipeline: Pipeline, source: StageApp, wanted: Sequence[int] = ()) -> list[StageApp]:
    """Where an app's code goes: to the apps that are wanted, else to those of the next stage.

    Raises PaasError if there are none, or one is not of the pipeline or the source itself.
    """
    if wanted:
        places = [pipeline.place(app_id) for app_id in dict.fromkeys(wanted)]
        found = [one for one in places if one is not None and one.id != source.id]
        if len(found) < len(places):
            raise PaasError(
                "pipeline-target",
                f"Code is promoted between the apps of one pipeline, here {pipeline.name}, and "
                "never to the app that it comes from.",
                f"See its apps: paas pipelines:info {pipeline.name}",
            )
        return found
    following = source.stage.following
    found = [one for one in pipeline.apps if one.stage is following]
    if not found:
        raise PaasError(
            "pipeline-target",
            f"The pipeline {pipeline.name} has no app in its stage {following}."
            if following
            else f"No stage comes after {source.stage}.",
            "Name an app of the pipeline: paas pipelines:promote --to APP; or add one: "
            f"paas pipelines:add {pipeline.name} -a APP --stage production",
        )
    return found
