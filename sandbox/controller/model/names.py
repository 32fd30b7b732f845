"""Names that the controller generates: `k8s-` + readable parts + ten digits of a SHA-256 over what identifies them."""

import hashlib
import re

_NOT_ALNUM = re.compile(r"[^0-9A-Za-z]")


def digest(*parts: str) -> str:
    """Ten hexadecimal digits that stand for `parts`."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:10]


def two_part(namespace: str, name: str, *identity: str) -> str:
    """`k8s-NAMESPACE-NAME-HASH`, both parts cut to eight letters and digits."""
    return f"k8s-{_NOT_ALNUM.sub('', namespace)[:8]}-{_NOT_ALNUM.sub('', name)[:8]}-{digest(*identity)}"


def one_part(name: str, *identity: str) -> str:
    """`k8s-NAME-HASH`, the name cut to 17 letters and digits."""
    return f"k8s-{_NOT_ALNUM.sub('', name)[:17]}-{digest(*identity)}"


def backend_group(cluster: str) -> str:
    """The name of the cluster's shared backend security group."""
    return f"k8s-traffic-{_NOT_ALNUM.sub('', cluster)[:232]}-{digest(cluster)}"
