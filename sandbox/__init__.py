"""A laptop-size AWS and EKS. See docs/sandbox.md.

Layers, top first. A layer imports only layers below it (docs/adr/0016, checked by import-linter):

    cli         one file per command
    observe     what a running sandbox shows: targets, the page, comparisons, rehearsals
    lifecycle   up, down, status, the environment of commands
    network     namespaces, security groups and load balancers that carry packets (`--traffic`)
    cluster     control plane, nodes, pods, webhooks
    aws         moto, corrected, with EKS
    iam         decides who may do what; pure
    providers   stand-ins for the AWS, EKS and TLS providers
    engine      the Pulumi engine, its home, language host and plugins
    tools       upstream programs and charts, each pinned once
    run         state folder, processes, ports
"""
