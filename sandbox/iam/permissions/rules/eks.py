"""EKS, and EKS's part of Pod Identity."""

_IN_CLUSTER = "cluster:clusterName"
_NODES, _ADDON = "nodegroup:clusterName,nodegroupName,*", "addon:clusterName,addonName,*"
_ENTRY, _ASSOCIATION = "access-entry:clusterName,principalArn", "podidentityassociation:clusterName,associationId"
EKS = {
    "AssociateAccessPolicy": _ENTRY,
    "AssociateEncryptionConfig": _IN_CLUSTER,
    "CreateAccessEntry": _IN_CLUSTER + " ~" + _ENTRY,
    "CreateAddon": _IN_CLUSTER + " ~" + _ADDON,
    "CreateCluster": "~cluster:name",
    "CreateNodegroup": _IN_CLUSTER + " ~" + _NODES,
    "CreatePodIdentityAssociation": _IN_CLUSTER + " ~podidentityassociation:clusterName,*",
    "DeleteAccessEntry": _ENTRY,
    "DeleteAddon": _ADDON,
    "DeleteCluster": "cluster:name",
    "DeleteNodegroup": _NODES,
    "DeletePodIdentityAssociation": _ASSOCIATION,
    "DescribeAccessEntry": _ENTRY,
    "DescribeAddon": _ADDON,
    "DescribeCluster": "cluster:name",
    "DescribeNodegroup": _NODES,
    "DescribePodIdentityAssociation": _ASSOCIATION,
    "DescribeUpdate": "cluster:name",
    "DisassociateAccessPolicy": _ENTRY,
    "ListAccessEntries": _IN_CLUSTER,
    "ListAddons": _IN_CLUSTER,
    "ListAssociatedAccessPolicies": _ENTRY,
    "ListNodegroups": _IN_CLUSTER,
    "ListPodIdentityAssociations": _IN_CLUSTER,
    "ListTagsForResource": "arns:resourceArn",
    "ListUpdates": "cluster:name",
    "TagResource": "arns:resourceArn",
    "UntagResource": "arns:resourceArn",
    "UpdateAccessEntry": _ENTRY,
    "UpdateAddon": _ADDON,
    "UpdateClusterConfig": "cluster:name",
    "UpdateClusterVersion": "cluster:name",
    "UpdateNodegroupConfig": _NODES,
    "UpdateNodegroupVersion": _NODES,
    "UpdatePodIdentityAssociation": _ASSOCIATION,
}
EKS_AUTH = {"AssumeRoleForPodIdentity": "cluster:clusterName"}
