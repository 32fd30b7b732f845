"""AWS Global Accelerator, which moto does not have: accelerators, listeners, endpoint groups, endpoints and tags.

`api` serves the calls, `actions` carries them out, `store` is the state, `endpoints` knows what an endpoint may be and
how healthy it is. How traffic gets from an accelerator to a load balancer belongs in `sandbox.network`.
https://docs.aws.amazon.com/global-accelerator/latest/api/Welcome.html
"""
