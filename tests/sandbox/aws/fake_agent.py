#!/usr/bin/env python3
"""Replaces a cluster's agent: every node is ready at once, there is no control plane.

It creates the keys for service account tokens, and leaves the private one for the tests. A cluster called `...-fails`
fails. A file `hold` in the cluster's folder keeps it from reporting anything new.
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def make_keys(folder: Path) -> None:
    if (folder / "sa.pub").exists():
        return
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write(folder / "sa.key", private.decode())
    write(folder / "sa.pub", public.decode())


def report(folder: Path) -> dict[str, Any]:
    if folder.name.endswith("-fails"):
        return {"phase": "FAILED", "message": "etcd did not start", "parts": [], "ready_nodes": []}
    nodes = json.loads((folder / "nodes.json").read_text())["nodes"]
    return {
        "phase": "ACTIVE",
        "endpoint": "https://127.0.0.1:6443",
        "ca": "Y2E=",
        "message": "",
        "parts": [],
        "ready_nodes": [node["name"] for node in nodes],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state-dir", type=Path)
    parser.add_argument("--name")
    arguments = parser.parse_args()
    folder = arguments.state_dir / "clusters" / arguments.name
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    make_keys(folder / "pki")
    last = None
    while True:
        if not (folder / "hold").exists():
            current = report(folder)
            if current != last:
                write(folder / "status.json", json.dumps(current))
                last = current
        time.sleep(0.02)


main()
