"""Checks every command in README.md, CONTRIBUTING.md, docs/ and examples/: its syntax, and that our commands exist.

The parsers of `sandbox`, the doctor and verify parse their commands, without running them. Other tests run the README's
two commands and the examples. For `pulumi`, `kubectl`, `aws` and `helm` only the shell syntax is checked.
"""

import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pytest

from eks_load_balancing.doctor.cli import doctor
from eks_load_balancing.verify.cli import verify
from sandbox.cli import main as sandbox

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    if page.name != "CHANGELOG.md"  # it also names what no longer exists
)
_OTHERS: Final = {
    "$EDITOR",
    "aws",
    "curl",
    "docker",
    "eval",
    "git",
    "helm",
    "iptables-save",
    "kubectl",
    "pip",
    "pulumi",
}
"""Commands of other projects: only the shell syntax is checked."""
_OURS: Final = {"make", "sandbox", "python", "python3", "pytest"}
_TARGETS: Final = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_PARSERS: Final = {"eks_load_balancing.doctor": doctor, "eks_load_balancing.verify": verify}
_ASSIGNED: Final = re.compile(r"[A-Z0-9_]+=")
_NOT_COMMANDS: Final = (
    "Ingress shop/web",  # a picture of a path
)
"""The first words of indented blocks that contain no commands."""
_LANGUAGES: Final = {"json", "mermaid", "python", "text", "yaml"}
"""The languages of fenced blocks that contain no commands."""


class Block(NamedTuple):
    """Some lines of a page that a reader pastes into a shell."""

    page: str
    line: int
    text: str


def blocks(page: Path) -> Iterator[tuple[str, Block]]:
    """Yield the fenced and the indented blocks, each with its language."""
    lines, number = page.read_text("utf-8").splitlines(), 0
    name = str(page.relative_to(ROOT))
    while number < len(lines):
        start, line = number, lines[number]
        number += 1
        if line.startswith("```"):
            while not lines[number].startswith("```"):
                number += 1
            yield line[3:].strip(), Block(name, start + 2, "\n".join(lines[start + 1 : number]))
            number += 1
        elif line.startswith("    ") and (start == 0 or not lines[start - 1].strip()):
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
                number += 1
            yield "", Block(name, start + 1, "\n".join(each[4:] for each in lines[start:number]).rstrip())


def _shell(block: Block) -> Block:
    """Return only the commands: in a block with prompts, the other lines are output."""
    lines = block.text.splitlines()
    if block.text.startswith("$ "):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    return block._replace(text="\n".join(lines))


SHELL: Final = [
    _shell(block)
    for page in PAGES
    for language, block in blocks(page)
    if language not in _LANGUAGES and not block.text.startswith(_NOT_COMMANDS)
]
PYTHON: Final = [block for page in PAGES for language, block in blocks(page) if language == "python"]
INLINE: Final = [
    Block(str(page.relative_to(ROOT)), text[: match.start()].count("\n") + 1, " ".join(match[1].split()))
    for page, text in ((page, page.read_text("utf-8")) for page in PAGES)
    for match in re.finditer(r"(?<!`)`((?:make|sandbox) [^`]+)`(?!`)", text)
]
"""Commands in running text."""


def _named(block: Block) -> str:
    return f"{block.page}:{block.line}"


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, including those in `$(...)` and after `--`."""
    for inner in re.findall(r"\$\(([^()]*)\)", text):
        yield from commands(inner)
    for line in re.sub(r"\$\([^()]*\)", "SUBSTITUTED", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word and set(word) <= set(";|&"):
                while words and _ASSIGNED.match(words[0]):
                    words = words[1:]
                if words:
                    yield words
                    yield from _after_dashes(words)
                words = []
            else:
                words.append(word)


def _after_dashes(words: list[str]) -> Iterator[list[str]]:
    if words[0] == "sandbox" and "--" in words and (inner := words[words.index("--") + 1 :]):
        yield inner


def placeholders_away(words: list[str]) -> list[str]:
    """Remove the brackets and dots of `[--as ROLE]` and `[KEY=VALUE ...]`."""
    plain = [word.removeprefix("[").removesuffix("]") for word in words]
    return [word for word in plain if word and word != "..."]


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse a command's words, including its subcommands', without running anything.

    Raises:
        click.UsageError: an option, subcommand or argument is unknown or missing.
    """
    context = click.Context(command, parent, info_name=command.name, **command.context_settings)
    given, rest, order = command.make_parser(context).parse_args(list(words))
    missing = [each.name for each in command.get_params(context) if each.required and each not in order]
    if missing:
        raise click.UsageError(f"{command.name} misses {missing} in {words}")
    if isinstance(command, click.Group):
        if not rest:
            return
        _, inner, rest = command.resolve_command(context, rest)
        assert inner is not None
        parse(inner, rest, context)
    elif rest and not context.allow_extra_args:
        raise click.UsageError(f"{command.name} does not take {rest}: {given}")


def check(words: list[str]) -> None:
    """Fail if the command does not exist, or not with these options."""
    words = placeholders_away(words)
    name = words[0].removeprefix(".venv/bin/")
    match name:
        case "sandbox":
            parse(sandbox, words[1:])
        case "make":
            wanted = {word for word in words[1:] if "=" not in word}
            assert wanted <= _TARGETS, f"no target of the Makefile: {wanted - _TARGETS}"
        case "python" | "python3" if words[1] == "-m":
            assert importlib.util.find_spec(words[2]), words[2]
            if parser := _PARSERS.get(words[2]):
                parse(parser, words[3:])
        case "python" | "python3" | "pytest":
            assert (ROOT / words[1]).exists(), words[1]
        case "kubectl" if words[1:3] == ["eks-lb", "doctor"]:
            parse(doctor, words[3:])
        case _:
            assert name in _OTHERS, f"{name}: a command that this test does not know"


def check_all(text: str) -> None:
    """Check every command of a block."""
    for words in commands(text):
        check(words)


@pytest.mark.parametrize("block", SHELL, ids=_named)
def test_a_documented_command_is_valid_shell(block: Block) -> None:
    said = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("block", [*SHELL, *INLINE], ids=_named)
def test_a_documented_command_exists_with_its_options(block: Block) -> None:
    check_all(block.text)


@pytest.mark.parametrize("block", PYTHON, ids=_named)
def test_a_documented_program_compiles(block: Block) -> None:
    compile(block.text, block.page, "exec")


@pytest.mark.parametrize(
    "wrong",
    [
        "sandbox up --trafic",
        "sandbox no-such-command",
        "sandbox exec -- make no-such-target",
        "sandbox targets NAME",
        'eval "$(sandbox env --role X)"',
        "make no-such-target",
        "python -m eks_load_balancing.no_such_module",
        "python -m eks_load_balancing.doctor --no-such-option",
        "pytest tests/no_such_folder",
        "unknown-tool",
    ],
)
def test_a_wrong_command_would_be_found(wrong: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check_all(wrong)


def test_every_page_is_read() -> None:
    pages: Any = {block.page for block in SHELL}

    assert {"README.md", "CONTRIBUTING.md", "docs/sandbox.md", "examples/README.md"} <= pages
