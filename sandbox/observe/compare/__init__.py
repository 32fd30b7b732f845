"""The two paths to a pod, measured side by side: `sandbox compare`.

application   one application behind five load balancers, and Services that only add rules (pure)
classic       the Classic ELB, created like the in-tree way does
measure       the whole run, step by step
report        its figures as a table, and as docs/paths.md (pure)
"""
