"""Load balancers that carry traffic: HAProxy, driven by the state of the ELBv2 and Classic ELB APIs.

plan           one node per subnet: listeners, and the pools of targets behind them
pools, rules, patterns   parts of a plan: target groups; an ALB's rules; wildcards
rendering      a plan as HAProxy's configuration (haproxy.cfg.j2)
health, probe  a target's health from its checks; one check
proxy          one node's HAProxy: starts it, updates its targets, reloads it
udp            the kernel's part of a Network Load Balancer, because HAProxy does not forward datagrams
names          DNS for the clients
follow         the loop over all of it

A node's `missing` lists what AWS does and it does not, such as Lambda functions and the end of logins.
"""
