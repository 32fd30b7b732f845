"""`python -m sandbox.cluster --state-dir D --name NAME`: the agent of one cluster. Started by the AWS process."""

import argparse
import asyncio
import logging
import signal
import sys

from sandbox.cluster.control_plane.plane import ControlPlane
from sandbox.cluster.spec import ClusterSpec, Folder
from sandbox.cluster.status import FAILED, Status
from sandbox.run.state import State, locked

log = logging.getLogger("sandbox.cluster")


def run(state: State, name: str) -> None:
    """Run the agent of cluster `name` until SIGTERM."""
    # Until the agent has its own handlers, SIGTERM is a normal end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = Folder(state, name)
    spec = ClusterSpec.read(folder)
    status = Status(folder.status_file)
    status.write()
    try:
        plane = ControlPlane(folder, state.settings(), spec)
        try:
            booting = plane.boot()
            # These libraries take half a second or more to import, while kube-apiserver boots.
            from sandbox.cluster.agent import main  # noqa: PLC0415 - see above

            asyncio.run(main(state, plane, booting, status))
        finally:
            plane.stop()
    except Exception as error:
        status.phase, status.message = FAILED, str(error)
        status.write()
        raise


parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description="The agent of one EKS cluster.")
parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
parser.add_argument("--name", required=True, help="the cluster's name")
options = parser.parse_args()
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
where = State.at(options.state_dir)
try:
    with locked(Folder(where, options.name).lock, wait=False):
        run(where, options.name)
except BlockingIOError:
    sys.exit(f"cluster {options.name} in {where.root} has an agent already: end that one first")
