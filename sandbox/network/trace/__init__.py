"""One request, followed through the kernel: `sandbox trace`.

kernel     what nft's trace and conntrack's events say, read into values (pure)
watching   the tracing itself: switched on, heard, switched off
balancers  what the ELB APIs hold of the load balancer that a URL names
path       the hops of a request, from all of that (pure)
diagnosis  where a request stopped, and what is missing
request    sends it, and puts the parts together: runs in the world
"""
