"""Real packets: the sandbox's VPCs, nodes, pods and load balancers as network namespaces of this machine's kernel.

__main__       the part that `sandbox up --traffic` starts: it keeps the world running, and ends it
requirements   what a machine must have for it
inside         the first process of the world: everything below runs in it
world          namespaces and the processes in them
aws            what the EC2 and ELB APIs hold, asked again whenever it changes

A namespace is called what AWS calls its owner: the router `vpc-…`, a node `i-…`, a load balancer's node `eni-…` (the
interface of the load balancer in one subnet); a pod `pod-UID`; and `clients`, who are outside of every VPC.
"""
