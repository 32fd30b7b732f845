"""Upstream programs that the sandbox runs.

`catalog` lists them, `choose` decides which executable is used, `build` builds one, `controllers` knows the releases of
the controller.

The Go modules beside these files pin every source by its checksum. Built tools are cached outside the checkout.
Charts and CRDs that a module carries lie beside its executable. How a tool is started does not belong here.
"""
