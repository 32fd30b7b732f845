"""Real packets: the sandbox's VPCs, nodes, pods and load balancers as network namespaces in this machine's kernel.

__main__       the part that `sandbox up --traffic` starts: it keeps the world running, and ends it
requirements   what the machine must have
control        how the command line talks to the world
inside         the first process of the world: everything below runs in it
world          namespaces and the processes in them
aws            the state of the EC2 and ELB APIs, read again whenever it changes
elb            the state of load balancers in the APIs
balancers      load balancers that carry traffic
trace          one request, followed through the kernel
counting       sends connections from the clients' namespace and counts them

A namespace has the name that AWS gives its owner: the router `vpc-…`, a node `i-…`, a load balancer node `eni-…` (the
load balancer's interface in one subnet). A pod's is `pod-UID`; `clients` is outside every VPC. Code that only asks the
APIs, outside the namespaces, belongs in `observe`.
"""
