"""A stand-in for pulumi-resource-eks: the component `eks:index:Cluster`, made of the aws stand-in's resources.

It declares what pulumi-eks 4 declares for the same inputs (https://github.com/pulumi/pulumi-eks), under the same names,
so that transforms, state and `pulumi import` see the same. Inputs that lead to resources it cannot make are refused.
"""
