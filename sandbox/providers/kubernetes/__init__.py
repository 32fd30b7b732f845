"""A stand-in for pulumi-kubernetes 4.34: every kind of object through server-side apply, and charts as components.

    python -m sandbox.providers.kubernetes ENGINE_ADDRESS

Layers, each knowing only those above it:

    kinds, changes, annotations, readiness   pure decisions over plain JSON
    kubeconfig, client, watching             one cluster's API
    objects, awaiting                        the life of one object
    manifests, components, helm, chart/      many objects at once
    provider                                 the Pulumi side
"""
