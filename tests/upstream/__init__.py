"""Upstream's own end-to-end suites, against the sandbox: `make upstream`.

`suites/` is the Go module that builds them, `specs.py` knows them, `stage.py` is where they run. Each spec is a process
of its own, so one that hangs costs only its own bound. The results stand in docs/measured/upstream.md.
"""
