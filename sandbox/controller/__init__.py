"""A stand-in for the AWS Load Balancer Controller v3.5.0, in Python.

It watches Services, Ingresses, Gateways and TargetGroupBindings and provisions what the real one provisions for them.
`model` decides (pure functions), `deploy` and `targets` act on AWS, `watch` and `kube` speak with Kubernetes,
`webhooks` answers kube-apiserver. It imitates v3.5.0 and says of itself, everywhere, that it is a stand-in.
"""

IMITATES = "v3.5.0"
NAME = "sandbox-controller"
BANNER = f"{NAME}: a stand-in for the AWS Load Balancer Controller {IMITATES} (not the real one)"
