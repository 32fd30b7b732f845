"""`python -m sandbox.providers.aws ENGINE_ADDRESS`: what the plugin's shim runs."""

from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.common.server import serve

serve(AwsProvider(), "7.51.1")
