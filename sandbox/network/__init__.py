"""Real packets: the sandbox's VPCs, nodes, pods and load balancers as network namespaces of this machine's kernel.

__main__       the part that `sandbox up --traffic` starts: it keeps the world running, and ends it
requirements   what a machine must have for it
control        how the command line asks the world
inside         the first process of the world: everything below runs in it
world          namespaces and the processes in them
aws            what the EC2 and ELB APIs hold, asked again whenever it changes
balancers      load balancers that carry traffic
trace          one request, followed through the kernel
counting       connections sent from the clients' namespace, and counted

A namespace is called what AWS calls its owner: the router `vpc-…`, a node `i-…`, a load balancer's node `eni-…` (the
interface of the load balancer in one subnet); a pod `pod-UID`; and `clients`, who are outside of every VPC. What only
asks the APIs, outside of the namespaces, belongs in `observe`.
"""
