"""The resources on which each action is authorized: one line per action, from the Service Authorization Reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

A line names resources, each as `TYPE:PART,PART`: a type of the reference, and the values of its ARN's variables in
order. A part is a parameter's path (`LaunchTemplateData.SubnetId`; lists fan out), or `*` if only the service knows the
value. A part that is an ARN itself stays as it is.

    ?TYPE    only if the parameters are given
    +TYPE    created by this call
    ~TYPE    created by this call, and authorized only if it is tagged
    !PATH    another way to name a resource, which the sandbox does not support: refused

`ids:PATH` are EC2's ids, whose prefixes give their types; `arns:PATH` are ARNs.

Actions on no resource need no line, because the reference lists them. Actions in neither place are refused.
"""

from sandbox.iam.permissions.rules.ec2 import EC2
from sandbox.iam.permissions.rules.eks import EKS, EKS_AUTH
from sandbox.iam.permissions.rules.elb import CLASSIC, ELASTICLOADBALANCING
from sandbox.iam.permissions.rules.iam import IAM, STS
from sandbox.iam.permissions.rules.other import (
    ACM,
    ACM_PCA,
    COGNITO_IDP,
    GLOBALACCELERATOR,
    KMS,
    LOGS,
    ROUTE53,
    SHIELD,
    SSM,
    WAF_REGIONAL,
    WAFV2,
)

__all__ = ["CLASSIC", "RULES"]

RULES: dict[str, dict[str, str]] = {
    "acm": ACM,
    "acm-pca": ACM_PCA,
    "cognito-idp": COGNITO_IDP,
    "ec2": EC2,
    "eks": EKS,
    "eks-auth": EKS_AUTH,
    "elasticloadbalancing": ELASTICLOADBALANCING,
    "globalaccelerator": GLOBALACCELERATOR,
    "iam": IAM,
    "kms": KMS,
    "logs": LOGS,
    "route53": ROUTE53,
    "shield": SHIELD,
    "ssm": SSM,
    "sts": STS,
    "tag": {},
    "waf-regional": WAF_REGIONAL,
    "wafv2": WAFV2,
}
