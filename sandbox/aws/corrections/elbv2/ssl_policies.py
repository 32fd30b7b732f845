"""Security policies of TLS listeners: those in moto, and AWS's others.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from typing import Any

from moto.elbv2.ssl_policies import SSL_POLICIES

_DATE, _PQ = "2023-04", "PQ-2025-09"
_LEGACY = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA")
_FORWARD = {"FS-2018-06": ("TLSv1.2", "TLSv1.1", "TLSv1"), "FS-1-1-2019-08": ("TLSv1.2", "TLSv1.1"),
            "FS-1-2-2019-08": ("TLSv1.2",)}  # fmt: skip
POLICIES: dict[str, Any] = SSL_POLICIES
"""All of them, by name. DescribeSslPolicies reads the same table."""


def install() -> None:
    """Add what is missing."""
    of = {name.removeprefix("ELBSecurityPolicy-"): policy for name, policy in SSL_POLICIES.items()}
    for kind in ("1-3", "1-2", "1-2-Res", "1-2-Ext1", "1-2-Ext2", "1-1", "1-0"):
        base = of[f"TLS13-{kind}-2021-06"]
        approved = [cipher for cipher in base["ciphers"] if "CHACHA20" not in cipher]
        _add(f"TLS13-{kind}-FIPS-{_DATE}", approved, base["ssl_protocols"])
        if kind not in {"1-1", "1-0"}:
            _add(f"TLS13-{kind}-FIPS-{_PQ}", approved, base["ssl_protocols"])
    base = of["TLS13-1-2-2021-06"]
    approved = [cipher for cipher in (*base["ciphers"], *_LEGACY) if "CHACHA20" not in cipher]
    for date in (_DATE, _PQ):
        _add(f"TLS13-1-2-Ext0-FIPS-{date}", approved, base["ssl_protocols"])
    forward = [cipher for cipher in of["2016-08"]["ciphers"] if cipher.startswith("ECDHE-")]
    for name, protocols in _FORWARD.items():
        _add(name, forward, protocols)
    _add("TLS-1-0-2015-04", [*of["2016-08"]["ciphers"], "DES-CBC3-SHA"], of["2016-08"]["ssl_protocols"])


def _add(name: str, ciphers: list[str], protocols: Any) -> None:
    full = f"ELBSecurityPolicy-{name}"
    SSL_POLICIES.setdefault(full, {"name": full, "ciphers": ciphers, "ssl_protocols": list(protocols)})
