"""Run one Pulumi program in a separate process, with the program's interpreter.

    program.py REQUEST RESPONSE

REQUEST is a file with a serialized `RunRequest`; the serialized `RunResponse` is written to the file RESPONSE. This
file imports nothing from the sandbox, because the program's interpreter may not have it.
"""

import asyncio
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pulumi
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2

_GAVE_UP = ("the client connection is closing", "resource monitor shut down")


def execute(request: language_pb2.RunRequest) -> language_pb2.RunResponse:
    """Run the program in `request` to its end.

    An error is logged to the engine once, and the response says `bail`, so the engine adds nothing.
    """
    reset_options(
        project=request.project,
        monitor_address=request.monitor_address,
        engine_address=request.args[0] if request.args else "",
        stack=request.stack,
        parallel=request.parallel,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    loop = asyncio.new_event_loop()
    # Like the SDK's own executor: every registration blocks a thread while the engine works on it.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
    try:
        loop.run_until_complete(run_in_stack(lambda: _program(request.info)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return language_pb2.RunResponse(bail=True)
    except grpc.RpcError as error:
        # The monitor ends first when the engine gives up; the engine has already reported the reason.
        if error.code() != grpc.StatusCode.UNAVAILABLE:  # pyright: ignore[reportAttributeAccessIssue] - every RpcError raised by a call is one
            _say(f"the engine refused: {error.details()}")  # pyright: ignore[reportAttributeAccessIssue]
        return language_pb2.RunResponse(bail=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raised is the program's failure
        if isinstance(error, SystemExit) and not error.code:
            return language_pb2.RunResponse()
        why = f"Program failed with an unhandled exception:\n{traceback.format_exc()}"
        _say(str(error) if _refused(error) else why)
        return language_pb2.RunResponse(bail=True)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                loop.run_until_complete(task)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return language_pb2.RunResponse()


def _say(text: str) -> None:
    """Log an error; not one of a call that the engine broke off because it gave up: it has said why already."""
    if not any(words in text for words in _GAVE_UP):
        pulumi.log.error(text)


def _refused(error: BaseException) -> bool:
    """Whether a provider or the engine refused something: the SDK raises a bare Exception with its words.

    The traceback of one shows nothing but the SDK.
    """
    *_, last = traceback.extract_tb(error.__traceback__)
    return type(error) is Exception and Path(last.filename).is_relative_to(Path(pulumi.__file__).with_name("runtime"))


def _program(info: language_pb2.ProgramInfo) -> None:
    folder = Path(info.program_directory)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    runpy.run_path(str(folder / (info.entry_point or ".")), run_name="__main__")


def main() -> None:
    """Read the request, run the program, write the response."""
    asked, answer = map(Path, sys.argv[1:])
    request = language_pb2.RunRequest.FromString(asked.read_bytes())
    sys.argv = [request.info.program_directory]
    answer.write_bytes(execute(request).SerializeToString())
    # Threads of the SDK may still wait for a monitor that is gone.
    os._exit(0)


if __name__ == "__main__":
    main()
