"""Options of all verbs that talk of times."""

import argparse
from collections.abc import Iterator

from lineshaft.cli import parser
from lineshaft.core.verbs import shown


def leaves(made: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of every verb that takes `--start`."""
    if "--start" in made._option_string_actions:
        yield words
    for action in made._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield from leaves(verb, (*words, name))


def test_a_time_before_now_is_taken_as_the_guides_write_it():
    found = list(leaves(parser(), ()))
    assert ("alarm", "journal") in found
    for words in found:
        # What else a verb needs may be missing; the time must not be taken for an option.
        known = parser(words[0])
        for word in words:
            (sub,) = (a for a in known._actions if isinstance(a, argparse._SubParsersAction))
            known = sub.choices[word]
        for action in known._actions:
            action.required = False
            action.nargs = "?" if not action.option_strings else action.nargs
        assert known.parse_args(["--start", "-8h"]).start == "-8h", words


def test_words_of_others_do_not_steer_the_terminal():
    assert shown("seen\x1b[31m by\nli 热") == "seen [31m by li 热"
