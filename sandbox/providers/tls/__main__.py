"""`python -m sandbox.providers.tls ENGINE_ADDRESS`: what the plugin's shim runs."""

from sandbox.providers.common.server import serve
from sandbox.providers.tls.provider import TlsProvider

serve(TlsProvider(), "5.6.2")
