"""`python -m sandbox.providers.kubernetes ENGINE_ADDRESS`: what the engine runs as pulumi-resource-kubernetes."""

import sys

from sandbox.providers.common.server import serve
from sandbox.providers.kubernetes.provider import VERSION, Kubernetes

serve(Kubernetes(next((word for word in sys.argv[1:] if not word.startswith("-")), "")), VERSION)
