"""The real controller at scale: how long many load balancers or bindings take, what each part uses, what limits it."""
