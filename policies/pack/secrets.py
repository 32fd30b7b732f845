"""Secret values: rules use them like any other value, and no message shows them.

A secret text stays marked while a rule takes it apart, and becomes `[secret]` when it is formatted. So rules use
formatting only for messages, and `+` to join texts for their own use. The `Vault` finds texts that were joined in other
ways: it remembers every piece of a resource's secrets.
"""

import re
from collections.abc import Callable
from typing import Any, Final

HIDDEN: Final = "[secret]"


class Vault:
    """All texts that were taken from one resource's secrets."""

    def __init__(self) -> None:
        self.texts: set[str] = set()

    def hide(self, value: Any) -> Any:
        """Mark plain data as secret, including its keys; booleans and null reveal nothing."""
        if isinstance(value, str):
            self.texts.add(value)
            return SecretText.of(value, self)
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = SecretNumber(value)
            number.vault = self
            self.texts.update((str(value), f"{value:g}"))
            return number
        if isinstance(value, dict):
            return {self.hide(key): self.hide(item) for key, item in value.items()}
        return [self.hide(item) for item in value] if isinstance(value, list | tuple) else value


class Open(Vault):
    """Hides nothing: for a remediation, which writes values back."""

    def hide(self, value: Any) -> Any:
        """Return the value as it is."""
        return value


class SecretText(str):
    """A secret text, or a piece of one."""

    __slots__ = ("vault",)
    vault: Vault

    @classmethod
    def of(cls, text: str, vault: Vault) -> "SecretText":
        """Mark a text."""
        made = cls(str.__str__(text))
        made.vault = vault
        return made

    def __str__(self) -> str:
        return self

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _spec: str) -> str:
        return HIDDEN

    def __radd__(self, other: str) -> str:
        return self.vault.hide(other + str.__str__(self))

    def __hash__(self) -> int:
        return super().__hash__()


class SecretNumber(float):
    """A secret number."""

    vault: Vault

    def __str__(self) -> str:
        return self.vault.hide(float.__repr__(self))

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _spec: str) -> str:
        return HIDDEN


def _marking(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(text: SecretText, *args: Any, **named: Any) -> Any:
        return text.vault.hide(method(text, *args, **named))

    return call


for _name in (
    *("lower", "upper", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "replace"),
    *("split", "rsplit", "splitlines", "partition", "rpartition", "__getitem__", "__add__"),
):
    setattr(SecretText, _name, _marking(getattr(str, _name)))


def alike(source: Any, value: Any) -> Any:
    """Mark data as secret if it was read from a secret."""
    return source.vault.hide(value) if isinstance(source, SecretText | SecretNumber) else value


def without_secrets(message: str, texts: set[str]) -> str:
    """Replace each of some texts with `[secret]` where it is a separate word in a message."""
    told = sorted((text for text in texts if re.search(r"\w", text)), key=len, reverse=True)
    if not told:
        return message
    words = "|".join(re.escape(str.__str__(text)) for text in told)
    return re.sub(rf"\[secret\]|(?<![\w-])(?:{words})(?![\w-])", HIDDEN, message)
