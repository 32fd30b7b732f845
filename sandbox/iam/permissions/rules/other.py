"""Certificates, firewalls, keys, logs, parameters, accelerators."""

_CERTIFICATE = "arns:CertificateArn"
ACM = {
    "AddTagsToCertificate": _CERTIFICATE,
    "DeleteCertificate": _CERTIFICATE,
    "DescribeCertificate": _CERTIFICATE,
    "ExportCertificate": _CERTIFICATE,
    "GetCertificate": _CERTIFICATE,
    "ImportCertificate": "?certificate:CertificateArn ~certificate:*",
    "ListTagsForCertificate": _CERTIFICATE,
    "RemoveTagsFromCertificate": _CERTIFICATE,
    "RequestCertificate": "~certificate:*",
}
ACM_PCA = {
    "GetCertificate": "arns:CertificateAuthorityArn",
    "IssueCertificate": "arns:CertificateAuthorityArn",
    "ListPermissions": "arns:CertificateAuthorityArn",
}
WAFV2 = {
    "AssociateWebACL": "arns:WebACLArn arns:ResourceArn",
    "DisassociateWebACL": "arns:ResourceArn",
    "GetWebACL": "?webacl:ARN",
    "GetWebACLForResource": "arns:ResourceArn",
}
WAF_REGIONAL = {
    "AssociateWebACL": "webacl:WebACLId arns:ResourceArn",
    "DisassociateWebACL": "arns:ResourceArn",
    "GetWebACL": "webacl:WebACLId",
    "GetWebACLForResource": "arns:ResourceArn",
}
SHIELD = {
    "DeleteProtection": "protection:ProtectionId",
    "DescribeProtection": "?protection:ProtectionId",
}
COGNITO_IDP = {"DescribeUserPoolClient": "userpool:UserPoolId"}
ROUTE53 = {"ChangeResourceRecordSets": "hostedzone:HostedZoneId"}

_KEY = "key:KeyId"
KMS = {
    **dict.fromkeys(
        (
            "CancelKeyDeletion", "CreateGrant", "Decrypt", "DescribeKey", "DisableKey", "DisableKeyRotation",
            "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey", "GetKeyPolicy", "GetKeyRotationStatus",
            "ListKeyPolicies", "ListResourceTags", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource",
            "UntagResource", "UpdateKeyDescription",
        ),
        _KEY,
    ),
    "CreateAlias": "alias:AliasName key:TargetKeyId",
    "CreateKey": "~key:*",
    "DeleteAlias": "alias:AliasName",
    "UpdateAlias": "alias:AliasName key:TargetKeyId",
}  # fmt: skip

_LOG_GROUP = "log-group:logGroupName"
LOGS = {
    **dict.fromkeys(
        (
            "AssociateKmsKey", "CreateLogStream", "DeleteLogGroup", "DeleteRetentionPolicy", "DescribeLogStreams",
            "DisassociateKmsKey", "FilterLogEvents", "ListTagsLogGroup", "PutRetentionPolicy",
        ),
        _LOG_GROUP,
    ),
    "CreateLogGroup": "+" + _LOG_GROUP,
    "ListTagsForResource": "arns:resourceArn",
    "TagResource": "arns:resourceArn",
    "UntagResource": "arns:resourceArn",
}  # fmt: skip
SSM = {
    "DeleteParameter": "parameter:Name",
    "GetParameter": "parameter:Name",
    "GetParameters": "parameter:Names",
    "GetParametersByPath": "parameter:Path",
    "PutParameter": "parameter:Name",
}

_ACCELERATOR, _ACC_LISTENER, _ENDPOINTS = "arns:AcceleratorArn", "arns:ListenerArn", "arns:EndpointGroupArn"
GLOBALACCELERATOR = {
    "AddEndpoints": _ENDPOINTS,
    "CreateAccelerator": "~accelerator:*",
    "CreateEndpointGroup": _ACC_LISTENER,
    "CreateListener": _ACCELERATOR,
    "DeleteAccelerator": _ACCELERATOR,
    "DeleteEndpointGroup": _ENDPOINTS,
    "DeleteListener": _ACC_LISTENER,
    "DescribeAccelerator": _ACCELERATOR,
    "DescribeEndpointGroup": _ENDPOINTS,
    "DescribeListener": _ACC_LISTENER,
    "ListEndpointGroups": _ACC_LISTENER,
    "ListListeners": _ACCELERATOR,
    "ListTagsForResource": "arns:ResourceArn",
    "RemoveEndpoints": _ENDPOINTS,
    "TagResource": "arns:ResourceArn",
    "UntagResource": "arns:ResourceArn",
    "UpdateAccelerator": _ACCELERATOR,
    "UpdateEndpointGroup": _ENDPOINTS,
    "UpdateListener": _ACC_LISTENER,
}
