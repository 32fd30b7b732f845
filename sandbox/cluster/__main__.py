"""`python -m sandbox.cluster --state-dir D --name NAME`: the agent of one cluster. Started by the AWS process."""

import argparse
import asyncio
import logging

from sandbox.cluster.agent import main
from sandbox.state import State

parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description="The agent of one EKS cluster.")
parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
parser.add_argument("--name", required=True, help="the cluster's name")
options = parser.parse_args()
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
asyncio.run(main(State.at(options.state_dir), options.name))
