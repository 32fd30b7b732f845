"""The manual, `docs/doctor.md`, made from the checks.

    python -m eks_load_balancing.doctor.manual

It is for the checkout, and nothing that an installed package needs. A test holds the file to what this would write.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from eks_load_balancing.doctor.checks import CHECKS, SUBJECTS
from eks_load_balancing.doctor.permissions import RULES, iam_policy
from eks_load_balancing.doctor.registry import COULD_NOT_LOOK, Check

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"

_HEAD = """\
<!-- made by `python -m eks_load_balancing.doctor.manual`: change the checks, not this file -->

# Doctor

What is wrong with load balancing on a live cluster, and how to mend it. It works on every EKS cluster with the AWS Load
Balancer Controller, made by this program or not. It reads, and changes nothing.

    pip install "eks-load-balancing[doctor] @ git+<this repository>#subdirectory=components"
    python -m eks_load_balancing.doctor --cluster NAME [--region REGION] [--profile PROFILE]

    --kubeconfig FILE, --context NAME   enter the cluster by a kubeconfig; else by AWS credentials, as the AWS CLI's
                                        `eks get-token` does, and no kubeconfig is needed
    --namespace NAME                    objects of this namespace only, and what is in none; repeatable
    --checks NAME,...  --skip NAME,...  these only; all but these
    --list                              name all checks
    --json                              for machines

Each finding says where, what, how to mend it, and where that is written. Then comes a picture of the way from each load
balancer's DNS name to its pods; the first broken hop is marked. A target that is ill because of what comes after it is
not marked: that is.

    Ingress shop/web
      DNS name internal-k8s-shop-web-1234567890-1.eu-central-1.elb.amazonaws.com
        load balancer k8s-shop-web-1234567890 (ALB, internal)
          listener HTTP:80
            rule default
              target group k8s-shop-web-abcdef0123 (ip)
                target 10.0.1.17:8080 unhealthy
                  interface eni-1 (sg-1)  <-- BROKEN HERE: no rule lets sg-2 reach TCP 8080
                    pod shop/web-6c5d8f7b9-x2x4q

| exit code | |
|---|---|
| 0 | nothing found |
| 1 | findings |
| 2 | cannot look: no credentials, no such cluster, its API does not let the caller in |

**What it cannot see** it says: a call that is refused is a finding `could-not-look`, with the checks not made. Nothing
is concluded from it. `--skip` leaves such checks out.

**Severities.** *High*: something does not work, or is open. *Medium*: it will not, when something else happens. *Low*:
untidy.
"""

_PERMISSIONS = """\
## What it may do

All its calls to AWS are in this policy (and `sts:GetCallerIdentity`, which needs none); a call that is not in it is
refused by the doctor itself:

```json
{policy}
```

In Kubernetes it sends GET alone. An access entry with `AmazonEKSAdminViewPolicy` allows it, or this ClusterRole. The
one Secret that it reads is the webhooks' certificate, of which it keeps the public part:

```json
{rules}
```

## JSON

`{{"cluster", "account", "region", "at", "checked": [name], "findings": [finding], "ways": [way]}}`; a finding is
`{{"check", "severity", "where", "what", "mend", "link", "namespace"}}` (the namespace null where there is none), a way
`{{"title", "namespace", "whole", "start": hop}}`, a hop `{{"kind", "name", "broken", "firstBroken", "below": [hop]}}`
(`broken` says why, or is null).
"""


def manual() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_overview(), *_subjects(), _permissions()])


def _overview() -> Iterator[str]:
    yield "## All checks\n\n| check | severity |\n|---|---|"
    for check in CHECKS.values():
        yield f"| [{check.name}](#{check.name}) | {check.severity} |"
    yield f"| {COULD_NOT_LOOK} | medium |\n"


def _subjects() -> Iterator[str]:
    for subject in SUBJECTS:
        name = subject.__name__.rpartition(".")[2]
        yield f"## {name.replace('_', ' ').capitalize()}\n\n{(subject.__doc__ or '').strip()}\n"
        yield from (_section(check) for check in CHECKS.values() if check.subject == name)


def _section(check: Check) -> str:
    return f"### {check.name}\n\n{check.demand} *{check.severity}*\n\n{check.why}\n\nSource: <{check.link}>\n"


def _permissions() -> str:
    return _PERMISSIONS.format(
        policy=json.dumps(iam_policy(), indent=2),
        rules=json.dumps(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": "doctor"},
                "rules": RULES,
            },
            indent=2,
        ),
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(manual())


if __name__ == "__main__":
    main()
