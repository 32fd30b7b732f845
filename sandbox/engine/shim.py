"""`pulumi` in the sandbox's environment: the engine, with the stack's settings file kept out of the checkout.

The engine writes the salt of a stack's secrets into `Pulumi.STACK.yaml`. A sandbox's secrets are nobody else's
business, and its passphrase goes with it: so every command gets a copy of that file, in the state folder, that carries
the salt (`--config-file`, by its environment variable). Everything else is passed through untouched.

    shim.py ENGINE COPIES ARGUMENT...     ENGINE the real executable, COPIES the folder of the copies

Standard library only, and little of it: this runs before every command.
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path

# Commands that take `--config-file`. `config` is left out: what a user sets is meant for the checkout's file.
_COMMANDS = {"up", "update", "preview", "pre", "destroy", "refresh", "watch", "import", "logs"}
_OPTION = "PULUMI_OPTION_CONFIG_FILE"
_SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)


def option(arguments: list[str], long: str, short: str = "") -> str | None:
    """The value of an option in a command line, in any of its spellings."""
    for index, argument in enumerate(arguments):
        if argument == "--":
            return None
        if argument == long or (short and argument == short):
            return arguments[index + 1] if index + 1 < len(arguments) else None
        if argument.startswith(f"{long}="):
            return argument.partition("=")[2]
        if short and argument.startswith(short) and not argument.startswith("--"):
            return argument[len(short) :].lstrip("=")
    return None


def project_file(folder: Path) -> Path | None:
    """The Pulumi.yaml of `folder` or of the nearest folder above it."""
    return next((f for d in (folder, *folder.parents) if (f := d / "Pulumi.yaml").exists()), None)


def with_salt(text: str, previous: str) -> str:
    """The stack's settings as the checkout has them, with the salt that an earlier copy was given."""
    salt = _SALT.search(previous)
    return _SALT.sub("", text).rstrip("\n") + "\n" + (salt.group().rstrip("\n") + "\n" if salt else "")


def selected(project: Path, home: Path) -> str | None:
    """The stack that `pulumi stack select` chose for a project, or None."""
    name = re.search(r"^name:\s*[\"']?([\w.-]+)", project.read_text(), re.MULTILINE)
    # The engine's own name for it: https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/workspace/workspace.go
    key = hashlib.sha1(str(project).encode()).hexdigest()  # noqa: S324 - a file's name, not a secret
    file = home / "workspaces" / f"{name.group(1) if name else ''}-{key}-workspace.json"
    chosen: dict[str, str] = json.loads(file.read_text()).get("stacks", {}) if file.exists() else {}
    return chosen.get(os.environ.get("PULUMI_BACKEND_URL", ""))


def copied(project: Path, stack: str, copies: Path) -> Path:
    """Bring the copy of a stack's settings up to date, and give its path."""
    own = hashlib.sha256(str(project.parent).encode()).hexdigest()[:12]
    copy = copies / own / f"Pulumi.{stack}.yaml"
    original = project.with_name(f"Pulumi.{stack}.yaml")
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    previous = copy.read_text() if copy.exists() else ""
    text = with_salt(original.read_text() if original.exists() else "", previous)
    if text != previous:
        copy.write_text(text)
        copy.chmod(0o600)
    return copy


def prepared(arguments: list[str], folder: Path, home: Path, copies: Path) -> tuple[list[str], dict[str, str]]:
    """The arguments and the additional environment that the engine is started with."""
    words = [a for a in arguments if not a.startswith("-")]
    project = project_file((folder / (option(arguments, "--cwd", "-C") or "")).absolute())
    if project is None or not words or option(arguments, "--config-file"):
        return arguments, {}
    if creates_stack(words, arguments):
        # `stack init` has no --config-file: it is run where the copies lie, beside a copy of the project's file.
        name = words[2].rpartition("/")[2]
        copy = copied(project, name, copies)
        (copy.parent / "Pulumi.yaml").write_text(project.read_text())
        select = ["--no-select"] if "init" in words else []
        return ["--cwd", str(copy.parent), *arguments, *select], {}
    command = next((w for w in words if w in _COMMANDS), None)
    stack = option(arguments, "--stack", "-s") or os.environ.get("PULUMI_STACK") or selected(project, home)
    if command is None or not stack:
        return arguments, {}
    return arguments, {_OPTION: str(copied(project, stack.rpartition("/")[2], copies))}


def creates_stack(words: list[str], arguments: list[str]) -> bool:
    """Whether a command line is `stack init NAME` or `stack select --create NAME`."""
    if words[0] != "stack" or len(words) != 3:  # noqa: PLR2004 - "stack", the verb and the name
        return False
    return words[1] == "init" or (words[1] == "select" and bool({"-c", "--create"} & set(arguments)))


def main() -> None:
    """Become the engine."""
    engine, copies, arguments = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    arguments, additional = prepared(arguments, Path.cwd(), home, copies)
    os.execve(engine, [engine, *arguments], {**os.environ, **additional})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
