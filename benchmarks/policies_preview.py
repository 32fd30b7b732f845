"""What the pack adds to a preview of the stack `sandbox`, in a sandbox that is up.

    SANDBOX_STATE_DIR=... python benchmarks/policies_preview.py [ROUNDS]

Previews with and without the pack take turns, so that both meet the same machine.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

_REPOSITORY = Path(__file__).parent.parent
_PREVIEW = [str(Path(sys.executable).with_name("sandbox")), "exec", "--", "pulumi", "preview", "--stack", "sandbox"]
_PACK = ["--policy-pack", "policies", "--policy-pack-config", "policies/profiles/sandbox.json"]
BUDGET = 1.15
"""How many times as long a preview may take with the pack."""


def seconds(*options: str) -> float:
    """How long one preview takes."""
    start = time.perf_counter()
    subprocess.run([*_PREVIEW, "--non-interactive", *options], cwd=_REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(rounds: int) -> int:
    """Measure, tell, and return 1 if the budget is exceeded."""
    pairs = [(seconds(), seconds(*_PACK)) for _ in range(rounds)]
    without, with_pack = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = with_pack / without
    sys.stdout.write(f"| median of {rounds} | s |\n|---|---|\n| preview without the pack | {without:.2f} |\n")
    sys.stdout.write(f"| with it: {ratio:.2f} times as long (asked: {BUDGET:g}) | {with_pack:.2f} |\n")
    return 0 if ratio <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 11))
