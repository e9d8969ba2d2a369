"""Whatever the tool says to a person exists in Chinese and in English; which of the two is chosen once per run."""

import os
from typing import Literal

Language = Literal["zh", "en"]


class _Choice:
    language: Language | None = None


def choose(language: Language | None) -> None:
    """Say everything from now on in `language`; None goes back to the language of the locale."""
    _Choice.language = language


def chosen() -> Language:
    """The language in use: the one that was chosen, else Chinese under a Chinese locale, else English."""
    if _Choice.language is not None:
        return _Choice.language
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if locale.startswith("zh") else "en"


def say(zh: str, en: str) -> str:
    """The one of two sayings that is in the language in use."""
    return zh if chosen() == "zh" else en


class StackError(Exception):
    """Something a person must hear about: what happened and the way out, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh, self.en = zh, en

    def __str__(self) -> str:
        return say(self.zh, self.en)
