"""The two ways to a pod, measured side by side: `sandbox compare`.

application   one application behind five load balancers, and Services that only make rules (pure)
classic       the Classic ELB, made as the in-tree way makes it
measure       the whole run, step by step
report        its figures as a table, and as docs/paths.md (pure)
"""
