"""Help by topic, and what is said of a word that is no command."""

from itertools import product

import pytest

from paas.entrypoints.cli.command_table import COMMANDS
from paas.entrypoints.laptop import suggestions, topics

NAMES = [str(command.name) for command in COMMANDS]


def test_help_fits_a_terminal() -> None:
    """The overview and each topic take 80 columns."""
    texts = [topics.overview(), *(topics.topic_help(topic) or "" for topic in topics.TOPICS)]
    assert max(len(line) for text in texts for line in text.splitlines()) <= topics.COLUMNS


def test_each_command_is_in_a_topic() -> None:
    """Who reads a topic finds all of its commands."""
    texts = {name: topics.topic_help(topics.topic_of(name)) or "" for name in NAMES}
    assert [name for name, text in texts.items() if f"\n  {name}" not in text] == []


def test_another_name_is_no_command_s() -> None:
    """An alias hides no command, and stands for one."""
    assert set(suggestions.ALIASES) & set(NAMES) == set()
    assert {suggestions.in_place([name])[0] for name in suggestions.ALIASES} <= set(NAMES)


def test_what_is_suggested_exists() -> None:
    """Each suggestion begins with a command, or is a push."""
    meant = {text for text in suggestions.MEANINGS.values() if not text.startswith("git push")}
    assert {text.partition(" ")[0] for text in meant} <= set(NAMES)


def test_what_a_word_of_dokku_s_means_exists() -> None:
    """For each kind of datastore."""
    for noun, verb in product(suggestions._KINDS, suggestions._DATASTORE_VERBS):
        (meant,) = suggestions._of_datastores(noun, verb)
        assert meant.partition(" ")[0] in NAMES, f"{noun}:{verb}"


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


def test_each_noun_has_help() -> None:
    """Also one that is a part of another topic: ``paas help resource``."""
    names = [name for name in NAMES if ":" in name]
    helps = {name: topics.topic_help(name.partition(":")[0]) or "" for name in names}
    assert [name for name, text in helps.items() if name not in text] == []
