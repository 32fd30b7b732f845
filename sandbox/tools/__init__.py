"""Upstream programs that the sandbox runs.

`catalog` lists them, `choose` decides which executable is used, `build` builds one, `controllers` knows the releases of
the controller.

The Go modules beside these files pin every source by its checksum. Built tools are cached outside the checkout,
together with charts and CRDs from their modules. How a tool is started does not belong here.
"""
