"""Load balancers that carry traffic: HAProxy, driven by what the ELBv2 and Classic ELB APIs hold.

documents      what the APIs hold, read at once
plan           one node a subnet: listeners, and the pools of targets behind them
pools, rules, patterns   of a plan: target groups; an ALB's rules; wildcards
rendering      a plan as HAProxy's configuration (haproxy.cfg.j2)
health, probe  what a target's checks say of it; one check
proxy          one node's HAProxy: started, told of targets, reloaded
udp            what the kernel does of a Network Load Balancer, for HAProxy forwards no datagrams
names          DNS for the clients
follow         the loop over all of it

What is refused, and not passed over, stands in a node's `missing`: Lambda functions, mutual TLS, logins.
"""
