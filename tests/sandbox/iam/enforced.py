"""`python -m tests.sandbox.iam.enforced --state-dir D`: the AWS process with IAM in front, whatever its own default."""

import os
import sys
from typing import Any

from sandbox.aws import __main__ as process
from sandbox.aws.call import Call
from sandbox.aws.patching import replace
from sandbox.aws.replies import Denial
from sandbox.state import State


def main() -> int:
    """Put the authorizer into the gate, then be the AWS process."""
    state = State.at(sys.argv[sys.argv.index("--state-dir") + 1])
    settings = state.settings()
    os.environ |= {"MOTO_ACCOUNT_ID": settings.account, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    from sandbox.aws import gate  # noqa: PLC0415 - moto reads its environment when it is imported
    from sandbox.iam.authorizer import Authorizer  # noqa: PLC0415
    from sandbox.iam.decisions import Decisions  # noqa: PLC0415
    from sandbox.iam.reference import Place  # noqa: PLC0415
    from sandbox.iam.state import State as Account  # noqa: PLC0415

    authorizers: list[Authorizer] = []

    class Guarded(gate.Gate):
        """A gate that IAM guards."""

        def __init__(self, emulator: Any, *arguments: Any) -> None:
            account = Account(Place("aws", settings.region, settings.account), settings.root_keys, emulator.eks)
            authorizers.append(Authorizer(account, Decisions(state.aws / "decisions.jsonl")))
            super().__init__(emulator, *arguments)

    def every_header(headers: dict[str, str]) -> dict[str, str]:
        return {name.lower(): value for name, value in headers.items()}

    def authorize(call: Call, _: Any) -> Denial | None:
        return authorizers[0].authorize(call, call.headers)

    replace(gate, "Gate", Guarded)
    replace(gate, "kept_headers", every_header)
    replace(gate, "authorize", authorize)
    return process.main()


if __name__ == "__main__":
    assert os.environ.get("PYTHONHASHSEED") == "0", "without this the AWS process would start itself anew"
    sys.exit(main())
