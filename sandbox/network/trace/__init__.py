"""One request, followed through the kernel: `sandbox trace`.

kernel     parses nft's trace and conntrack's events (pure)
watching   switches tracing on, reads it, switches it off
path       the hops of a request, from all of that (pure)
diagnosis  where a request stopped, and why
request    sends it, and combines the parts: runs in the world
"""
