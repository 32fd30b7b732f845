"""Upstream's own suites, against the sandbox: `make upstream`.

`suites/` is the Go module that builds them, `specs.py` knows them, `stage.py` is where they run. Each spec of the
controller's end-to-end suites is a process of its own, so one that hangs costs only its own bound. `conformance.py`
runs the Gateway API's conformance suite. The results stand in docs/measured/upstream.md.
"""
