"""`python -m sandbox.cluster.control_plane.cluster_role --state-dir D --name CLUSTER`: a session of the cluster's role.

A `credential_process` of the AWS SDKs. EKS, as a service, may assume a cluster's role; here the sandbox's owner does it
for EKS.
"""

import argparse
import sys

from sandbox.cluster.control_plane.cloud_controller import NAME, process_credentials
from sandbox.run.clients import client
from sandbox.run.state import State


def main() -> None:
    """Print a session."""
    parser = argparse.ArgumentParser(description="Print a session of an EKS cluster's role.")
    parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
    parser.add_argument("--name", required=True, help="the cluster's name")
    asked = parser.parse_args()
    state = State.at(asked.state_dir)
    role = client(state, "eks").describe_cluster(name=asked.name)["cluster"]["roleArn"]
    sts = client(state, "sts")
    sys.stdout.write(process_credentials(sts.assume_role(RoleArn=role, RoleSessionName=NAME)["Credentials"]))


if __name__ == "__main__":
    main()
