"""WAFv2 web ACLs on a load balancer."""

import logging

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code

log = logging.getLogger(__name__)


class WebAcls:
    """The calls about web ACLs."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def associate(self, load_balancer: str, acl: str) -> None:
        """Put a web ACL (its ARN) on a load balancer; `none` or nothing takes any away."""
        try:
            current = self._aws.waf.get_web_acl_for_resource(ResourceArn=load_balancer).get("WebACL") or {}
        except ClientError as error:
            if code(error) != "WAFNonexistentItemException":
                raise
            current = {}
        wanted = "" if acl == "none" else acl
        if wanted == current.get("ARN", ""):
            return
        if wanted:
            self._aws.waf.associate_web_acl(WebACLArn=wanted, ResourceArn=load_balancer)
        else:
            self._aws.waf.disassociate_web_acl(ResourceArn=load_balancer)
        log.info("web ACL of %s: %s", load_balancer, wanted or "none")
