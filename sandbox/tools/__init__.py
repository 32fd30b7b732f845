"""Tools that the sandbox needs and no registry serves ready to run: built once, cached by version outside the checkout.

`catalog` says what they are, `build` makes them. The Go modules beside these files pin every source by its checksum.
"""
