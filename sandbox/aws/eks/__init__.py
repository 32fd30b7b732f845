"""EKS: clusters with a control plane behind them, node groups of real instances, and what moto's EKS lacks.

`store` has the state, a pure function of the calls and observations so far. One module per subject changes it
(clusters, nodegroups, addons, access, pod_identity, tags). moto's server calls `api`.
"""
