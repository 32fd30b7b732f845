"""A stand-in for `pulumi-language-python`, which no package registry serves: runs programs, plugins and policy packs.

    python -m sandbox.engine.language_host [ENGINE_ADDRESS]

It prints its port and serves gRPC on loopback until the engine interrupts it. Every program and plugin is a child
process.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Generator, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any, cast

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.tools import build, catalog

_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit


def interpreter(info: language_pb2.ProgramInfo) -> str:
    """The Python of a program: its project's `virtualenv` option if that exists, otherwise ours.

    Raises:
        FileNotFoundError: the option names a folder that is not a virtual environment.
    """
    name = dict(info.options).get("virtualenv")
    if not name:
        return sys.executable
    folder = Path(info.root_directory or info.program_directory, str(name))
    python = folder / "bin" / "python"
    if folder.exists() and folder.samefile(sys.prefix):
        return sys.executable
    if not python.exists():
        raise FileNotFoundError(
            f"Pulumi.yaml's runtime option virtualenv is {name!r}, and {folder} is no virtual environment: "
            "make it with `make environment`, or take the option out"
        )
    return str(python)


def module_command(python: str, module: str) -> list[str]:
    """The command that runs a module: the prefork server's launcher, if the server runs the same Python."""
    server = os.environ.get("SANDBOX_PREFORK")
    if server and python == sys.executable:
        return [python, "-S", "-E", str(Path(__file__).with_name("launch.py")), server, module]
    return [python, "-u", "-m", module]


def program_command(python: str) -> list[str]:
    """The command that runs a program: `program`, by its name if that Python knows it, otherwise by its path."""
    if python == sys.executable:
        return module_command(python, "sandbox.engine.program")
    return [python, "-u", str(Path(__file__).with_name("program.py"))]


def plugin_command(python: str, folder: Path, kind: str, args: list[str]) -> list[str]:
    """The command that runs a Python plugin: a policy pack, a program with `__main__.py`, or a component package."""
    if kind == "analyzer":
        return [*module_command(python, "pulumi.policy"), *args, str(folder)]
    if (folder / "__main__.py").exists():
        return [python, "-u", str(folder), *args]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    return [*module_command(python, "pulumi.run.plugin"), project["project"]["name"], *args]


def with_requirements(text: str, folders: Iterable[str]) -> str:
    """A requirements.txt that also names these folders."""
    lines = text.splitlines()
    wanted = [folder if folder.startswith((".", "/")) else f"./{folder}" for folder in folders]
    return "\n".join([*lines, *(each for each in wanted if each not in lines), ""])


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The engine's view of Python."""

    def Handshake(self, request: Any, context: Any) -> language_pb2.LanguageHandshakeResponse:
        """The engine's handshake; nothing is negotiated."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """Our version, which is not a released one."""
        return plugin_pb2.PluginInfo(version="0.0.1")

    def GetRequiredPackages(self, request: Any, context: Any) -> language_pb2.GetRequiredPackagesResponse:
        """None in advance: each resource names its plugin, and the home contains the plugins."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> language_pb2.GetRequiredPluginsResponse:
        """None in advance, as above."""
        return language_pb2.GetRequiredPluginsResponse()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """The engine has finished or given up: programs and plugins end with their calls, and we with its interrupt."""
        return empty_pb2.Empty()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> language_pb2.RuntimeOptionsResponse:
        """Nothing to install."""
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: language_pb2.AboutRequest, context: Any) -> language_pb2.AboutResponse:
        """For `pulumi about`."""
        return language_pb2.AboutResponse(executable=interpreter(request.info), version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: Any) -> language_pb2.GetProgramDependenciesResponse:
        """For `pulumi about`; `pip list` shows more."""
        return language_pb2.GetProgramDependenciesResponse()

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: Any
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Install requirements.txt into the project's virtual environment, if it has both."""
        requirements = Path(request.info.program_directory, "requirements.txt")
        python = interpreter(request.info)
        if python == sys.executable or not requirements.exists():
            return
        command = [python, "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        done = subprocess.run(command, cwd=requirements.parent, capture_output=True, check=False)
        yield language_pb2.InstallDependenciesResponse(stdout=done.stdout, stderr=done.stderr)
        if done.returncode:
            raise RuntimeError(f"pip could not install {requirements}")

    def GeneratePackage(
        self, request: language_pb2.GeneratePackageRequest, context: grpc.ServicerContext
    ) -> language_pb2.GeneratePackageResponse:
        """Write the SDK of a package, with the engine's own generator."""
        try:
            generator = build.ensure(catalog.by_name("pulumi-python-sdk"), lambda _: None)
        except build.BuildError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        text = json_format.MessageToJson(request)
        done = subprocess.run([generator], input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            context.abort(grpc.StatusCode.INTERNAL, done.stderr.strip())
        return language_pb2.GeneratePackageResponse()

    def Link(self, request: language_pb2.LinkRequest, context: Any) -> language_pb2.LinkResponse:
        """Add SDKs to the project's requirements.txt."""
        requirements = Path(request.info.program_directory, "requirements.txt")
        text = requirements.read_text() if requirements.exists() else ""
        requirements.write_text(with_requirements(text, [package.path for package in request.packages]))
        names = [f"pulumi_{package.package.name.replace('-', '_')}" for package in request.packages]
        return language_pb2.LinkResponse(import_instructions="\n".join(f"  import {name}" for name in names))

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run a program in a child process; its output is ours, its result is in a file."""
        try:
            python = interpreter(request.info)
        except FileNotFoundError as error:
            return language_pb2.RunResponse(error=str(error))
        # In the sandbox: if this host is killed, the folder stays.
        with tempfile.TemporaryDirectory(prefix="program-", dir=os.environ.get("PULUMI_HOME")) as folder:
            asked, answer = Path(folder, "request"), Path(folder, "response")
            asked.write_bytes(request.SerializeToString())
            command = [*program_command(python), str(asked), str(answer)]
            with _child(command, context, cwd=request.pwd) as child:
                code = child.wait()
            if code:
                return language_pb2.RunResponse(error=f"the program's process ended with exit code {code}")
            return language_pb2.RunResponse.FromString(answer.read_bytes())

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a plugin in a child process and forward its output until it ends."""
        folder = Path(request.info.program_directory)
        command = plugin_command(interpreter(request.info), folder, request.kind, list(request.args))
        environment = dict(entry.split("=", 1) for entry in request.env) or None
        cwd = folder if request.kind == "analyzer" else request.pwd
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        printed: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()

        def pump(stream: "IO[bytes] | None", name: str) -> None:
            for line in stream or ():
                printed.put((name, line))
            printed.put(None)

        with _child(command, context, cwd=cwd, env=environment, **pipes) as child:
            streams = ((child.stdout, "stdout"), (child.stderr, "stderr"))
            for stream, name in streams:
                threading.Thread(target=pump, args=(stream, name), daemon=True).start()
            ended = 0
            while ended < len(streams):
                item = printed.get()
                if item is None:
                    ended += 1
                else:
                    yield language_pb2.RunPluginResponse(**{item[0]: item[1]})  # pyright: ignore[reportArgumentType] - stdout or stderr
            yield language_pb2.RunPluginResponse(exitcode=child.wait())


_LOOK_SECONDS = 2.0
"""How often a host checks whether its engine is still there."""

_children: "set[subprocess.Popen[bytes]]" = set()
"""The running process: it ends with us; otherwise it would keep the engine's pipes open for ever."""


@contextmanager
def _child(
    command: list[str], context: grpc.ServicerContext, **how: Any
) -> "Generator[subprocess.Popen[bytes], None, None]":
    child = cast("subprocess.Popen[bytes]", subprocess.Popen(command, **how))
    _children.add(child)
    # If the engine gives up a call, its process ends.
    context.add_callback(child.terminate)
    try:
        yield child
    finally:
        _children.discard(child)


def main() -> None:
    """Serve until interrupted."""
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(32), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def leave(_number: int, _frame: FrameType | None) -> None:
        # The engine interrupts a host and waits for its end: do not unwind gRPC's threads.
        for child in list(_children):
            child.kill()
        os._exit(0)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    print(port, flush=True)  # noqa: T201 - the engine reads the port here
    engine = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    while not engine or _answers(engine):
        if not server.wait_for_termination(_LOOK_SECONDS):  # it ended, and not by the timeout
            break
    leave(0, None)


def _answers(engine: str) -> bool:
    """Whether the engine still runs; one that was killed does not stop its hosts."""
    host, _, port = engine.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_LOOK_SECONDS).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
