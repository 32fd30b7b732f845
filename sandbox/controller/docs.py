"""`python -m sandbox.controller.docs > docs/annotations.md`: the annotations' documentation, from their table."""

import sys
from collections.abc import Iterable, Iterator

from sandbox.controller import IMITATES
from sandbox.controller.annotations import ALB, NLB, TABLE, Annotation

_HEAD = f"""# Annotations of the stand-in controller

Made from `sandbox/controller/annotations.py` by `python -m sandbox.controller.docs > docs/annotations.md`; do not edit.

The stand-in imitates the AWS Load Balancer Controller {IMITATES}. Each annotation links to the real controller's own
documentation. One that is listed as *not acted on*, stands on the wrong kind of object or is known to nobody becomes a
Warning Event `UnsupportedAnnotation` on the object; one whose value cannot be read becomes `FailedBuildModel`.
Annotations of a Service go before those of the Ingress that leads to it; an IngressClassParams goes before both.
"""


def _table(annotations: Iterable[Annotation]) -> Iterator[str]:
    yield "| Annotation | On | Value | What it does |"
    yield "| --- | --- | --- | --- |"
    for one in annotations:
        name = one.suffix + "NAME" if one.suffix.endswith(".") else one.suffix
        effect = one.effect if one.acts else f"{one.effect} *Not acted on.*"
        cells = (f"[`{name}`]({one.link})", ", ".join(one.on), one.value, effect.replace("|", "\\|"))
        yield f"| {' | '.join(cells)} |"


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, prefix in (("Ingress", ALB), ("Service", NLB)):
        parts += [f"## {title}: `{prefix}/...`\n", *_table(a for a in TABLE if a.prefix == prefix), ""]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
