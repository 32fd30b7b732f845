"""The sandbox's AWS: moto in one process, corrected where it is thin, with an EKS that boots real control planes.

__main__, server   the process and its HTTP server
gate               the one door that every call passes: count, fault, authorize, journal, answer
call, replies      what a request asks for; an AWS error in the form that its protocol wants
journal, determinism   how a killed process comes back with the same ids and addresses
emulator           moto, corrected (corrections/) and extended (eks/, sts)
clusters           the agents that run the clusters' control planes
changes            who waits for something to change is told
private, target_health  what parts of the sandbox alone may ask and say: certificates' keys, the health of targets
"""
