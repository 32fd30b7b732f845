"""EKS: clusters with a control plane behind them, node groups of real instances, and what moto's EKS does not know.

`store` holds what there is and is a pure function of the calls and observations it was given; one module a subject
changes it (clusters, nodegroups, addons, access, pod_identity, tags); `api` is what moto's server calls.
"""
