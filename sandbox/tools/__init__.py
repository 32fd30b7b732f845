"""Upstream programs that the sandbox runs: what there is (`catalog`), which one is used (`choose`), how it is built (`build`).

The Go modules beside these files pin every source by its checksum. Built tools are cached outside the checkout.
Charts and CRDs that a module carries lie beside its executable. How a tool is started does not belong here.
"""
