"""The two ways to a pod, measured side by side: `sandbox compare`.

application   one application behind five load balancers, and Services that only make rules (pure)
classic       the Classic ELB, made as the in-tree way makes it
client        a client that opens a connection a request; runs in the clients' namespace
counting      connections sent and conntrack's entries counted; runs in the world
rolling       requests while the application rolls
measure       the whole run, step by step
report        its figures as a table, and as docs/paths.md (pure)
cli           the command
"""
