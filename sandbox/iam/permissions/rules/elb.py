"""Elastic Load Balancing: both of its APIs."""

_BALANCER, _GROUP, _LISTENER, _RULE = (f"arns:{n}Arn" for n in ("LoadBalancer", "TargetGroup", "Listener", "Rule"))

ELASTICLOADBALANCING = {
    "AddListenerCertificates": _LISTENER,
    "AddTags": "arns:ResourceArns",
    "CreateListener": _BALANCER + " ~listener:LoadBalancerArn,*",
    "CreateLoadBalancer": "+loadbalancer/TYPE/:Name,*",
    "CreateRule": _LISTENER + " ~listener-rule:ListenerArn,*",
    "CreateTargetGroup": "+targetgroup:Name,*",
    "DeleteListener": _LISTENER,
    "DeleteLoadBalancer": _BALANCER,
    "DeleteRule": _RULE,
    "DeleteTargetGroup": _GROUP,
    "DeregisterTargets": _GROUP,
    "ModifyCapacityReservation": _BALANCER,
    "ModifyIpPools": _BALANCER,
    "ModifyListener": _LISTENER,
    "ModifyListenerAttributes": _LISTENER,
    "ModifyLoadBalancerAttributes": _BALANCER,
    "ModifyRule": _RULE,
    "ModifyTargetGroup": _GROUP,
    "ModifyTargetGroupAttributes": _GROUP,
    "RegisterTargets": _GROUP,
    "RemoveListenerCertificates": _LISTENER,
    "RemoveTags": "arns:ResourceArns",
    "SetIpAddressType": _BALANCER,
    "SetRulePriorities": "arns:RulePriorities.RuleArn",
    "SetSecurityGroups": _BALANCER,
    "SetSubnets": _BALANCER,
}

# Elastic Load Balancing's first API: the same service name, but different parameters.
_CLASSIC = "loadbalancer:LoadBalancerName"
CLASSIC = {
    "AddTags": "loadbalancer:LoadBalancerNames",
    "ApplySecurityGroupsToLoadBalancer": _CLASSIC,
    "AttachLoadBalancerToSubnets": _CLASSIC,
    "ConfigureHealthCheck": _CLASSIC,
    "CreateLoadBalancer": "+" + _CLASSIC,
    "CreateLoadBalancerListeners": _CLASSIC,
    "CreateLoadBalancerPolicy": _CLASSIC,
    "DeleteLoadBalancer": _CLASSIC,
    "DeleteLoadBalancerListeners": _CLASSIC,
    "DeregisterInstancesFromLoadBalancer": _CLASSIC,
    "DetachLoadBalancerFromSubnets": _CLASSIC,
    "ModifyLoadBalancerAttributes": _CLASSIC,
    "RegisterInstancesWithLoadBalancer": _CLASSIC,
    "RemoveTags": "loadbalancer:LoadBalancerNames",
    "SetLoadBalancerListenerSSLCertificate": _CLASSIC,
    "SetLoadBalancerPoliciesForBackendServer": _CLASSIC,
    "SetLoadBalancerPoliciesOfListener": _CLASSIC,
}
