"""What a machine needs to carry traffic: Linux, a few programs, and root or user namespaces."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "haproxy": "haproxy",
    "dnsmasq": "dnsmasq-base",
}
"""Program -> the Debian package that has it."""
_TRY = "ip link add name veth-a type veth peer name veth-b && nft add table ip t && iptables -w -t nat -L >/dev/null"


def isolated(*command: str, own_user: bool | None = None) -> list[str]:
    """`command` as the first process of new namespaces; it ends with the process that starts it.

    Args:
        command: a program and its arguments.
        own_user: whether it is root in a new user namespace; by default, if we are not root already.
    """
    user = ["--user", "--map-root-user"] if (os.geteuid() if own_user is None else own_user) else []
    return ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *command]


def search_path() -> str:
    """The PATH with the folders in which Debian keeps administrators' programs."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def missing(root: Path) -> str | None:
    """What this machine lacks to carry traffic for the sandbox in `root`, with the remedy; None if nothing."""
    if sys.platform != "linux":
        return (
            f"--traffic needs Linux (network namespaces), this is {sys.platform}: leave it out, or use a Linux machine"
        )
    if root.is_relative_to("/run") or root.is_relative_to("/var/run"):
        return f"--traffic puts a /run of its own over /run, in which --state-dir {root} lies: name another folder"
    path = search_path()
    absent = {package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None}
    if absent:
        return f"--traffic needs programs that are not here: apt-get install {' '.join(sorted(absent))}"
    done = subprocess.run(
        isolated("unshare", "--net", "sh", "-c", _TRY),
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    words = done.stderr.strip().replace("\n", " | ")[-200:] or f"exit code {done.returncode}"
    remedy = (
        "the kernel lacks veth, nf_tables or iptables' nat table: load those modules, or leave --traffic out"
        if os.geteuid() == 0
        else "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns), or run the sandbox as root"
    )
    return f"--traffic cannot make network namespaces here ({words}): {remedy}"
