"""kwok, which replaces the kubelets: its arguments and its stages.

The stages are data (`stages.yaml`). This module adds one thing: kwok ignores pods that run as processes, because the
pod runner writes their status.
"""

import copy
from pathlib import Path
from typing import Any

import yaml

_STAGES = Path(__file__).with_name("stages.yaml")


def stages(process_images: str) -> list[dict[str, Any]]:
    """All stages; those for pods exclude every pod with a container whose image matches a regular expression.

    Args:
        process_images: a regular expression that Python and jq read alike.
    """
    documents: list[dict[str, Any]] = yaml.safe_load(_STAGES.read_text())
    pattern = process_images.replace("\\", "\\\\").replace('"', '\\"')
    ours = {
        "key": f'[.spec.containers[].image | test("{pattern}")] | any',
        "operator": "In",
        "values": ["false"],
    }
    made: list[dict[str, Any]] = []
    for document in documents:
        stage: dict[str, Any] = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", **copy.deepcopy(document)}
        if stage["spec"]["resourceRef"]["kind"] == "Pod":
            stage["spec"]["selector"]["matchExpressions"].append(ours)
        made.append(stage)
    return made


def configuration(process_images: str) -> str:
    """Kwok's configuration file: its options and the stages, as YAML documents."""
    options = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        # kwok uses its defaults only if no options are given at all.
        "options": {
            "podPlayStageParallelism": 16,
            "nodePlayStageParallelism": 4,
            "podsOnNodeSyncParallelism": 1,
        },
    }
    return yaml.safe_dump_all([options, *stages(process_images)], sort_keys=False)


def arguments(kubeconfig: Path, config: Path) -> list[str]:
    """Kwok's arguments: it manages every node of the cluster, but not the leases (`leases.py`)."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--config={config}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=0",
        "--v=WARN",
    ]
