"""`python -m sandbox.providers.eks ENGINE_ADDRESS`: what the plugin's shim runs."""

from sandbox.providers.common.server import serve_with
from sandbox.providers.eks.provider import EksProvider, EksServicer

serve_with(lambda engine: EksServicer(EksProvider("4.4.0"), [], engine))
