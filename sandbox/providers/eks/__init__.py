"""A stand-in for pulumi-resource-eks: the component `eks:index:Cluster`, made of the aws stand-in's resources.

It declares the same resources as pulumi-eks 4 for the same inputs (https://github.com/pulumi/pulumi-eks), with the same
names, so transforms, state and `pulumi import` work the same. It refuses inputs that need resources it cannot create.
"""
