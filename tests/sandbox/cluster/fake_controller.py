#!/usr/bin/env python3
"""A program that replaces the controller: health, and a webhook that allows everything, at the given ports."""

import argparse
import json
import os
import signal
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def say(*words: str) -> None:
    """Log."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class Health(BaseHTTPRequestHandler):
    """/healthz and /readyz, 200 unless a file beside the kubeconfig says otherwise."""

    def do_GET(self) -> None:
        broken = Path("unready" if self.path == "/readyz" else "unhealthy").exists()
        self.send_response(500 if broken else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it that
        """Log nothing."""


class Webhook(Health):
    """Allows every request, and reports it on stdout."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        say("webhook", review["request"]["name"])
        response = {"uid": review["request"]["uid"], "allowed": "refused" not in review["request"]["name"]}
        answer = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


parser = argparse.ArgumentParser()
for flag in ("kubeconfig", "webhook-cert-dir", "aws-api-endpoints", "health-probe-bind-addr", "metrics-bind-addr"):
    parser.add_argument(f"--{flag}")
parser.add_argument("--webhook-bind-port", type=int)
parser.add_argument("--cluster-name")
options, _ = parser.parse_known_args()
say(json.dumps({"args": sys.argv[1:], "env": dict(os.environ)}))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
health = ThreadingHTTPServer(("127.0.0.1", int(options.health_probe_bind_addr.rpartition(":")[2])), Health)
threading.Thread(target=health.serve_forever, daemon=True).start()
webhook = ThreadingHTTPServer(("127.0.0.1", options.webhook_bind_port), Webhook)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(f"{options.webhook_cert_dir}/tls.crt", f"{options.webhook_cert_dir}/tls.key")
webhook.socket = context.wrap_socket(webhook.socket, server_side=True)
webhook.serve_forever()
