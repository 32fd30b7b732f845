"""What a running sandbox shows.

targets     which pod is behind which target
iam         what IAM decided
view        all of it on a page, as it happens
compare     the ways to a pod, measured side by side
rehearsal   what another version of the controller would cost

Here belongs what asks the APIs as a user would. What runs inside the network's namespaces (`trace`, `counting`) belongs
in `network`; words and options belong in `cli`.
"""
