"""The Pulumi engine as the sandbox runs it: a home of its own, a Python language host, providers as plugins.

The engine is the real one. What stands in here is what no registry serves: the language host (`language_host`,
`program`) and the provider plugins (`home` installs the ones of `sandbox.providers`).
"""
