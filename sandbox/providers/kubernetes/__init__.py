"""A stand-in for pulumi-kubernetes 4.34: every kind of object through server-side apply, and charts as components.

    python -m sandbox.providers.kubernetes ENGINE_ADDRESS

Layers, each knowing only those above it:

    kinds, changes, annotations, readiness/   pure decisions over plain JSON
    state, identity, difference, ignoring     the same, in the engine's terms
    kubeconfig, credentials, client, watching one cluster's API
    objects                                   the life of one object
    chart/, helm, manifests                   many objects at once
    charts, components, provider              the Pulumi side

What it does otherwise than pulumi-kubernetes, on purpose: creates are server-side apply too, so that one that was
interrupted can be repeated; previews do not promise what only an update decides; a Service is ready with its first
ready endpoint, without ten seconds of settling; in a chart workloads come behind what they read; a refresh does not
judge readiness; what `kubectl scale` has set is taken over, with a warning. Patch resources, client-side apply,
rendering to files and Helm releases are refused.
"""
