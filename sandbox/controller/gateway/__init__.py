"""The Gateway API: Gateways of the controller's two classes, their routes and the controller's configurations.

`flavors` says how the two differ. `parameters`, `attachment`, `backends` and `balancer` decide (pure functions, from
objects to the stack that Ingresses and Services have too), `status` puts into words how it went, `reconcilers`,
`changes` and `controller` speak with Kubernetes.
"""
