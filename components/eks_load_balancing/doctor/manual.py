"""Generates the manual, `docs/doctor.md`, from the checks.

    python -m eks_load_balancing.doctor.manual      # `make docs` runs it

It works in a checkout only. A test checks that the file is up to date.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from eks_load_balancing.doctor.checks import CHECKS, SUBJECTS
from eks_load_balancing.doctor.reading.permissions import RULES, iam_policy
from eks_load_balancing.doctor.registry import COULD_NOT_LOOK, Check

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"

_HEAD = """\
<!-- made by `make docs`: change the checks, not this file -->

# Doctor

What is wrong with load balancing on a live cluster, and how to fix it. It works on every EKS cluster with the AWS Load
Balancer Controller, whether this program made it or not. It only reads.

    pip install "eks-load-balancing[doctor] @ git+<this repository>#subdirectory=components"
    python -m eks_load_balancing.doctor --cluster NAME [--region REGION] [--profile PROFILE]
    kubectl eks-lb doctor               # the same, for the cluster of kubectl's current context

Without `--cluster` the kubeconfig names the cluster.

| option | |
|---|---|
| `--kubeconfig FILE`, `--context NAME` | connect with a kubeconfig. Default: AWS credentials, as `aws eks get-token` |
| `--namespace NAME` | only this namespace, and objects without a namespace; repeatable |
| `--checks NAME,...`, `--skip NAME,...` | only these checks; all checks except these |
| `--list` | show all checks |
| `--watch [--interval SECONDS]` | repeat until nothing is found; print what has changed |
| `--json`, `--markdown` | for machines; for a ticket |

Each finding says where, what, how to fix it, and where the rule comes from. Commands in a fix are in backticks: each
removes the fault as it is, except for words in capitals (`VALUE`), which are yours to fill in. Where the doctor cannot
see the cause, `see:` names a command that shows more. Then comes a picture of the path from each load balancer's DNS
name to its pods. The first broken hop is marked, and **everything that the picture marks is a finding**: one of the
checks under [Paths](#paths) reports it. A target that is unhealthy because a later hop is broken is not marked itself.

    Ingress shop/web
      DNS name internal-k8s-shop-web-1234567890-1.eu-central-1.elb.amazonaws.com
        load balancer k8s-shop-web-1234567890 (ALB, internal)
          listener HTTP:80
            rule default
              target group k8s-shop-web-abcdef0123 (ip)
                target 10.0.1.17:8080 unhealthy
                  interface eni-1 (sg-1)  <-- BROKEN HERE: no rule of sg-1 lets sg-2 reach TCP 8080
                    pod shop/web-6c5d8f7b9-x2x4q

| exit code | |
|---|---|
| 0 | nothing found |
| 1 | findings |
| 2 | cannot look: no credentials, no such cluster, or its API refuses the caller |

**What it cannot see**: a call that is refused is a finding `could-not-look`, which names the checks that were not made.
The doctor concludes nothing from it. `--skip` leaves such checks out.

**Why `pulumi up --refresh --run-program`**: a plain `pulumi up` compares the program with Pulumi's state. What was
changed or deleted outside Pulumi is still in the state, so `up` reports it unchanged. `--refresh` reads what exists
first, and `--run-program` lets that refresh use the program's providers and hooks.

**Severities.** *High*: something does not work, or is open to others. *Medium*: it will fail when something else
happens. *Low*: clutter.
"""

_PERMISSIONS = """\
## Permissions

This policy has all its calls to AWS, except `sts:GetCallerIdentity`, which needs no permission. The doctor itself
refuses a call that is not in it:

```json
{policy}
```

In Kubernetes it sends only GET. An access entry with `AmazonEKSAdminViewPolicy` allows it, or this ClusterRole. It
reads two kinds of Secrets: the webhooks' certificate, of which it keeps the public part, and those that `auth-idp-oidc`
annotations name, of which it keeps the names of the keys:

```json
{rules}
```

## JSON

`{{"cluster", "account", "region", "at", "checked": [name], "findings": [finding], "ways": [way]}}`. A finding is
`{{"check", "severity", "where", "what", "fix", "see", "link", "namespace"}}`: `see` is a command or "", the namespace
is null if there is none. A way is `{{"title", "namespace", "whole", "start": hop}}`, a hop `{{"kind", "name", "broken",
"fix", "firstBroken", "below": [hop]}}`: `broken` gives the reason and `fix` the remedy; both are null for a hop that
works.
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
