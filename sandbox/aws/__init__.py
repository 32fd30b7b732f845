"""The sandbox's AWS: moto in one process, corrected where AWS differs, with an EKS that boots real control planes.

__main__         the process
serving          every call passes its gate: count, fault, authorize, journal, answer
emulator         moto, corrected (corrections/) and extended (eks/, sts)
clusters, agents the agents that run the clusters' control planes
account, resource_facts   the account as IAM sees it
accelerators     Global Accelerator
constraints      AWS's model of parameters, and its messages
identities       keys, sessions and web identities
determinism      the same ids and times when the journal is replayed
node_images      the public parameters that name EKS's node images
target_health    the target health that load balancers report, if they carry traffic

IAM's decisions belong in `iam`; what runs in a cluster belongs in `cluster`.
"""
