"""Help by topic, and what is said of a word that is no command."""

import pytest

from paas.entrypoints.cli.command_table import COMMANDS
from paas.entrypoints.laptop import suggestions, topics

NAMES = [str(command.name) for command in COMMANDS]


def test_help_fits_a_terminal() -> None:
    """The overview and each topic take 80 columns."""
    texts = [topics.overview(), *(topics.topic_help(topic) or "" for topic in topics.TOPICS)]
    assert max(len(line) for text in texts for line in text.splitlines()) <= topics.COLUMNS


@pytest.mark.parametrize("name", NAMES)
def test_each_command_is_in_a_topic(name: str) -> None:
    """Who reads a topic finds all of its commands."""
    text = topics.topic_help(topics.topic_of(name))
    assert text is not None
    assert f"\n  {name}" in text


@pytest.mark.parametrize("name", suggestions.ALIASES)
def test_another_name_is_no_command_s(name: str) -> None:
    """An alias hides no command, and stands for one."""
    assert name not in NAMES
    assert suggestions.in_place([name])[0] in NAMES


@pytest.mark.parametrize("meaning", suggestions.MEANINGS.values())
def test_what_is_suggested_exists(meaning: str) -> None:
    """Each suggestion begins with a command, or is a push."""
    assert meaning.startswith("git push") or meaning.partition(" ")[0] in NAMES


@pytest.mark.parametrize("noun", suggestions._KINDS)
@pytest.mark.parametrize("verb", suggestions._DATASTORE_VERBS)
def test_what_a_word_of_dokku_s_means_exists(noun: str, verb: str) -> None:
    """For each kind of datastore."""
    (meant,) = suggestions._of_datastores(noun, verb)
    assert meant.partition(" ")[0] in NAMES


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("cofnig:set", "paas config:set"),
        ("ps:sclae", "Did you mean: paas ps:scale"),
        ("ps:frobnicate", "Its commands: paas help ps"),
        ("env", "Did you mean: paas config"),
        ("deploy", "Did you mean: git push deploy main"),
        ("postgres:create", "Did you mean: paas addons:create postgresql"),
        ("pg:frobnicate", "Did you mean: paas pg:info"),
        ("redis:create", "Did you mean: paas addons:create redis"),
        ("mysql:create", "Did you mean: paas addons:create mysql"),
        ("postgres:link", "Did you mean: paas addons:attach"),
        ("postgres:export", "Did you mean: paas pg:export"),
        ("mariadb:connect", "Did you mean: paas mysql:client"),
        ("redis:backup-schedule", "Did you mean: paas redis:backups:schedule"),
        ("mysql:clients", "Did you mean: paas mysql:client"),
        ("pg:diagnoses", "Did you mean: paas pg:diagnose"),
        ("mongo:create", "DATABASE_URL"),
        ("qqqqq", "paas help"),
    ],
)
def test_a_wrong_command_is_answered_with_the_right_one(word: str, hint: str) -> None:
    """By meaning, by spelling, by its topic."""
    error = suggestions.no_command(word)
    assert error.exit_code == 2
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["config", "set", "A=1"], "config:set"),
        (["-a", "x", "ps", "scale", "web=2"], "ps:scale"),
        (["apps", "list"], "apps"),
        (["apps", "shop"], None),
        (["config"], None),
        ([], None),
    ],
)
def test_a_space_in_place_of_the_colon(words: list[str], command: str | None) -> None:
    """``paas config set A=1`` is meant as ``paas config:set``."""
    assert suggestions.two_words(words) == command


@pytest.mark.parametrize("name", [name for name in NAMES if ":" in name])
def test_each_noun_has_help(name: str) -> None:
    """Also one that is a part of another topic: ``paas help resource``."""
    text = topics.topic_help(name.partition(":")[0])
    assert text is not None
    assert name in text
