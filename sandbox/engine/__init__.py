"""The Pulumi engine in the sandbox: with its own home, a Python language host, providers as plugins.

The engine is the real one. The stand-ins are what no registry serves: the language host (`language_host`, `program`)
and the provider plugins (`home` installs the ones of `sandbox.providers`).
"""
