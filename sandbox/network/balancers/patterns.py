"""AWS's wildcards, and any text, in the syntax of HAProxy's configuration. Pure.

Everything except letters, digits and harmless characters becomes a hexadecimal code, so no text from an API's user can
end a word, a line or an expression.
"""

import re

_GROUP = re.compile(r"\$(\d)")
_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=&")
_REGEX_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/:=&")


def word(text: str) -> str:
    """`text` as one word of the configuration, in double quotes."""
    return '"' + "".join(c if c in _PLAIN else _codes(c) for c in text) + '"'


def format_text(text: str) -> str:
    """`text` as part of a log-format, without the quotes."""
    return "".join(c if c in _PLAIN else "%%" if c == "%" else _codes(c) for c in text)


def glob(text: str, one: str = ".") -> str:
    """A pattern with `*` (any characters) and `?` (one) as a regular expression without anchors.

    `one` is the expression for a single character.
    """
    return "".join(f"{one}*" if c == "*" else one if c == "?" else _literal(c) for c in text)


def regex(expression: str) -> str:
    """A whole regular expression as one word, in single quotes."""
    return "'" + expression.replace("'", r"\x27").replace("\n", r"\x0a").replace("\r", r"\x0d") + "'"


def substitution(expression: str, replacement: str) -> str:
    """The converter that replaces what a regular expression matches; `$1` in `replacement` is its first group.

    Its arguments are in double quotes, so the whole statement must not be.
    """
    place = "".join(rf"\{part}" if n % 2 else format_text(part) for n, part in enumerate(_GROUP.split(replacement)))
    quoted = expression.replace('"', r"\x22").replace("'", r"\x27").replace("\n", r"\x0a").replace("\r", r"\x0d")
    return f'regsub("{quoted}","{place}")'


def _literal(character: str) -> str:
    return character if character in _REGEX_PLAIN else _codes(character)


def _codes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
