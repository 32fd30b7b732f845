"""Each example, run as its README says by the real engine, on clusters that it did not make."""

import threading
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.run.processes import wait_until
from tests.conftest import Sandbox
from tests.e2e.existing import Existing, running, sampled

pytestmark = pytest.mark.sandbox

_CONTROLLER = "aws-load-balancer-controller"


def role_of(cluster: Sandbox, arn: str, service: str) -> Any:
    """A client with a session of a controller's role, obtained like the controller does."""
    audience = ("--audience", "sts.amazonaws.com", "--namespace", "kube-system")
    token = cluster.run("kubectl", "create", "token", _CONTROLLER, *audience).strip()
    state = cluster.state
    where: dict[str, Any] = {"endpoint_url": state.aws_endpoint, "region_name": state.settings().region}
    sts = boto3.client("sts", config=Config(signature_version=UNSIGNED), **where)
    asked = {"RoleArn": arn, "RoleSessionName": "example", "WebIdentityToken": token}
    keys = sts.assume_role_with_web_identity(**asked)["Credentials"]
    return boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownVariableType] - one overload a service
        service,  # pyright: ignore[reportArgumentType]
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        **where,
    )


def is_denied(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation")
    return False


def test_an_existing_cluster_is_served_from_its_name_alone(existing: Existing) -> None:
    with running(existing, "existing-cluster") as example:
        (nlb,), (alb,) = example.next()["targetGroupArns"]
        assert existing.serve("blue", nlb, "feed", 2, "shop")
        assert existing.serve("blue", alb, "pages", 2, "shop")
        example.unchanged()
    # All programs share one provider for the issuer, and the one that created it does not delete it.
    aws = existing.sandbox.aws
    issuer = aws("eks").describe_cluster(name="blue")["cluster"]["identity"]["oidc"]["issuer"]
    providers = aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert len([p for p in providers if p["Arn"].endswith(issuer.removeprefix("https://"))]) == 1


def test_one_more_service_joins_the_shared_alb_of_a_cluster_with_a_controller(existing: Existing) -> None:
    with running(existing, "controller-only") as controller, running(existing, "shared-alb") as example:
        one = example.next()  # with the controller, which is up then
        assert controller.next()["controllerRoleArn"]
        both = example.next()
        assert both["orders"] == one["orders"]
        groups = {service: both[service]["targetGroups"][0] for service in ("orders", "invoices")}
        assert all(existing.serve("blue", group, service, 2, "services") for service, group in groups.items())
        (shared,) = {existing.balancer(group) for group in groups.values()}
        (listener,) = existing.elb.describe_listeners(LoadBalancerArn=shared)["Listeners"]
        rules = existing.elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        asked = [c["HostHeaderConfig"]["Values"] for r in rules for c in r["Conditions"] if "HostHeaderConfig" in c]
        assert sorted(asked) == [["invoices.example.com"], ["orders.example.com"]]


def test_each_controller_is_denied_what_is_the_other_clusters(existing: Existing) -> None:
    with running(existing, "two-clusters") as example:
        made = example.next()
        for own, other in (("blue", "green"), ("green", "blue")):
            elb, ec2 = (role_of(existing.clusters[own], made[own]["controllerRoleArn"], s) for s in ("elbv2", "ec2"))
            ours, theirs = (made[name]["targetGroupArns"][0] for name in (own, other))
            assert existing.serve(own, ours, f"web-{own}", 2)
            balancer = existing.balancer(theirs)
            described = existing.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
            targets = [{"Id": "10.64.16.200", "Port": 8080}]
            assert is_denied(elb.delete_load_balancer, LoadBalancerArn=balancer)
            assert is_denied(elb.delete_target_group, TargetGroupArn=theirs)
            assert is_denied(elb.register_targets, TargetGroupArn=theirs, Targets=targets)
            assert is_denied(elb.deregister_targets, TargetGroupArn=theirs, Targets=targets)
            assert is_denied(ec2.delete_security_group, GroupId=described["SecurityGroups"][0])
            # The same call is allowed on the controller's own resources.
            assert not is_denied(elb.register_targets, TargetGroupArn=ours, Targets=targets)
            assert not is_denied(elb.deregister_targets, TargetGroupArn=ours, Targets=targets)


def test_a_bound_target_group_goes_from_one_cluster_to_the_next_and_loses_no_target(existing: Existing) -> None:
    def unmoved(group: str) -> list[Any]:
        """The load balancer as AWS describes it."""
        arn = existing.balancer(group)
        balancers = existing.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return [balancers, existing.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]]

    with running(existing, "bound-target-group") as example:
        group = example.next()["targetGroupArn"]
        assert existing.serve("blue", group, "web", 2)
        old, before = existing.registered(group), unmoved(group)
        with sampled(existing, group) as joining:
            made = example.next()
            assert wait_until(lambda: len(existing.registered(group)) == 4, 180)
        new = existing.registered(group) - old
        example.next()
        with sampled(existing, group) as leaving:
            example.next()
            assert existing.serve("green", group, "web", 2)
        assert existing.registered(group) == new
        assert all(old <= sample for sample in joining)
        assert all(new <= sample for sample in leaving)
        assert min(len(joining), len(leaving)) > 10
        assert unmoved(group) == before
        # Registering in one target group is all that these controllers may do, and all that they need.
        assert all(existing.refused(made[f"{name}ControllerRoleArn"]) == [] for name in existing.clusters)


def test_the_controller_goes_from_irsa_to_pod_identity_and_works_on(existing: Existing) -> None:
    blue = existing.clusters["blue"]

    def ways() -> set[str]:
        """How the controller's pods get their role."""
        pods = blue.get("pods", "-n", "kube-system", "-l", f"app.kubernetes.io/name={_CONTROLLER}")["items"]
        names = {v["name"] for p in pods for c in p["spec"]["containers"] for v in c.get("env", [])}
        return names & {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}

    def scale(count: int) -> None:
        blue.run("kubectl", "scale", "deployment/web", f"--replicas={count}")
        assert existing.serve("blue", group, "web", count)

    with running(existing, "pod-identity") as example:
        made = example.next()
        (group,) = made["targetGroupArns"]
        assert existing.serve("blue", group, "web", 2)
        assert ways() == {"AWS_WEB_IDENTITY_TOKEN_FILE"}
        first = existing.registered(group)
        with sampled(existing, group) as samples:
            change = threading.Thread(target=example.next)
            change.start()
            scale(4)
            change.join()
            assert wait_until(lambda: ways() == {"AWS_CONTAINER_CREDENTIALS_FULL_URI"}, 180)
            example.next()
            scale(5)
        assert all(first <= sample for sample in samples)
        role = made["controllerRoleArn"]
        iam = existing.sandbox.aws("iam")
        trust = iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        assert [statement["Principal"] for statement in trust["Statement"]] == [{"Service": "pods.eks.amazonaws.com"}]
        assert existing.refused(role) == []


def test_a_program_in_yaml_uses_the_components_as_a_plugin(existing: Existing) -> None:
    blue, elb, iam = existing.clusters["blue"], existing.elb, existing.sandbox.aws("iam")
    with running(existing, "yaml") as example:
        made = example.next()
        assert all(existing.serve("blue", group, "web", 2) for group in made["targetGroupArns"])
        (nlb,) = (lb for lb in elb.describe_load_balancers()["LoadBalancers"] if lb["DNSName"] == made["hostName"])
        arn = nlb["LoadBalancerArn"]
        listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        assert sorted((one["Protocol"], one["Port"]) for one in listeners) == [("TCP", 80), ("UDP", 5353)]
        shown = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        assert {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in shown
        (tags,) = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        assert {"Key": "team", "Value": "shop"} in tags["Tags"]
        pods = blue.get("deployment", _CONTROLLER, "-n", "kube-system")["spec"]["template"]["spec"]
        assert "--log-level=debug" in pods["containers"][0]["args"]
        assert made["roleName"] == "load-balancers-of-blue"
        policies = iam.list_attached_role_policies(RoleName=made["roleName"])["AttachedPolicies"]
        assert any("extra" in one["PolicyName"] for one in policies)


def test_a_private_cluster_is_served_from_mirrors(existing: Existing) -> None:
    blue = existing.clusters["blue"]
    with running(existing, "private-cluster") as example:
        assert example.next()["hostName"]
        pods = blue.get("pods", "-A")["items"]
        images = {c["image"] for p in pods for c in p["spec"]["containers"]}
        assert images == {"registry.internal/aws-load-balancer-controller:v3.2.2", "registry.internal/pages:1"}
        example.unchanged()


def test_a_gateway_and_its_route_become_an_alb_with_pods_behind_it(existing: Existing) -> None:
    blue = existing.clusters["blue"]
    with running(existing, "gateway-api") as example:
        role = example.next()["controllerRoleArn"]

        def programmed() -> dict[str, Any]:
            status = blue.get("gateway", "edge")["status"]
            done = [c for c in status["conditions"] if c["type"] == "Programmed" and c["status"] == "True"]
            return status if done else {}

        assert wait_until(lambda: bool(programmed()), 180)
        (address,) = (one["value"] for one in programmed()["addresses"])
        (alb,) = (lb for lb in existing.elb.describe_load_balancers()["LoadBalancers"] if lb["DNSName"] == address)
        assert (alb["Type"], alb["Scheme"]) == ("application", "internal")
        groups = existing.elb.describe_target_groups(LoadBalancerArn=alb["LoadBalancerArn"])["TargetGroups"]
        assert existing.serve("blue", groups[0]["TargetGroupArn"], "pages", 2)
        example.next()
        example.unchanged()
        assert existing.refused(role) == []
    assert alb["DNSName"] not in {lb["DNSName"] for lb in existing.elb.describe_load_balancers()["LoadBalancers"]}
