"""`sandbox plan`: what the load balancer controller would build of manifests, before it does.

inputs      manifests, what they refer to, the account to plan against: read and sorted, nothing is run
scratch     a sandbox of one plan: AWS, a cluster, the real controller; objects applied, waited for, read
result      what there is as a document; what differs between two; trees, Markdown
run         the order of it all

What a running sandbox shows belongs in `observe`; words and options of the command belong in `cli`.
"""
