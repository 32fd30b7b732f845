"""What a running sandbox shows.

targets     which pod is behind which target
iam         IAM's decisions
view        the live page
compare     the paths to a pod, measured side by side
rehearsal   what a move to another controller version would break

Here belongs what asks the APIs like a user would. What runs inside the network's namespaces (`trace`, `counting`)
belongs in `network`; output and options belong in `cli`.
"""
