"""YAML from a commit, read as plain values."""

import yaml

from paas.domain.values.errors import PaasError


def read_yaml(content: bytes, name: str) -> object:
    """The values of a small YAML file; name: for messages. Raises PaasError.

    By the loader in Python: the one in C has no limit of nesting.
    """
    try:
        return yaml.load(content, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _wrong(f"{name}{place}: {error.problem or 'it is not valid YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong(f"{name} is not valid YAML") from error


def _wrong(what: str) -> PaasError:
    return PaasError("heroku-yml", f"{what}.", "For example: build: {docker: {web: Dockerfile}}")
