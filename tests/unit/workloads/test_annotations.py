import json

from eks_load_balancing.workloads.annotations import Exposure, alb_annotations, nlb_annotations
from eks_load_balancing.workloads.workload import drain_seconds

INTERNAL = Exposure(scheme="internal", deregistration_delay=30)
TLS = Exposure(scheme="internet-facing", deregistration_delay=30, certificate_arn="arn:certificate")
SERVICE = "service.beta.kubernetes.io/aws-load-balancer-"
INGRESS = "alb.ingress.kubernetes.io/"


# The controller leaves alone what is not named: what is off is said to be off.
OFF = "deletion_protection.enabled=false,access_logs.s3.enabled=false"


def test_an_nlb_is_told_its_scheme_and_to_reach_pods_by_address() -> None:
    assert nlb_annotations(INTERNAL) == {
        f"{SERVICE}scheme": "internal",
        f"{SERVICE}nlb-target-type": "ip",
        f"{SERVICE}target-group-attributes": "deregistration_delay.timeout_seconds=30",
        f"{SERVICE}attributes": f"load_balancing.cross_zone.enabled=true,{OFF}",
    }


def test_an_nlb_with_a_certificate_speaks_tls_1_2_or_later() -> None:
    annotations = nlb_annotations(TLS)

    assert annotations[f"{SERVICE}ssl-cert"] == "arn:certificate"
    assert annotations[f"{SERVICE}ssl-negotiation-policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_an_nlb_asks_for_a_path_only_if_there_is_one() -> None:
    checked = nlb_annotations(Exposure(scheme="internal", deregistration_delay=30, health_check_path="/ready"))

    assert checked[f"{SERVICE}healthcheck-path"] == "/ready"
    assert checked[f"{SERVICE}healthcheck-protocol"] == "http"


def test_an_alb_without_a_certificate_listens_on_80_alone() -> None:
    assert alb_annotations(INTERNAL) == {
        f"{INGRESS}scheme": "internal",
        f"{INGRESS}target-type": "ip",
        f"{INGRESS}target-group-attributes": "deregistration_delay.timeout_seconds=30",
        f"{INGRESS}load-balancer-attributes": f"routing.http.drop_invalid_header_fields.enabled=true,{OFF}",
        f"{INGRESS}listen-ports": '[{"HTTP": 80}]',
    }


def test_an_alb_with_a_certificate_redirects_to_it() -> None:
    annotations = alb_annotations(TLS)

    assert json.loads(str(annotations[f"{INGRESS}listen-ports"])) == [{"HTTP": 80}, {"HTTPS": 443}]
    assert annotations[f"{INGRESS}ssl-redirect"] == "443"
    assert annotations[f"{INGRESS}ssl-policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_deletion_protection_joins_the_other_attributes() -> None:
    kept = Exposure(scheme="internal", deregistration_delay=30, deletion_protection=True)

    assert nlb_annotations(kept)[f"{SERVICE}attributes"] == (
        "load_balancing.cross_zone.enabled=true,deletion_protection.enabled=true,access_logs.s3.enabled=false"
    )


def test_a_pod_serves_longer_than_its_target_drains_and_is_killed_later_still() -> None:
    sleep, grace = drain_seconds(30)

    assert 30 < sleep < grace
