"""The state of load balancers: one reading of the ELB APIs for everybody.

reading   asks the ELBv2, Classic ELB and EC2 APIs, and decides nothing
parsing   from their documents to the model (pure)
lookup    for callers that ask once: fewer calls
model     load balancers, listeners, rules, target groups, targets

What the state means for packets belongs in `balancers`, and for people in `observe`.
"""
