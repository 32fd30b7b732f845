"""What load balancers do to requests besides forwarding them, and accelerators before them; with real packets."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.network import control_client
from sandbox.network.wiring import CLIENT_ADDRESS
from sandbox.run.processes import wait_until
from tests.sandbox.aws.harness import REGION
from tests.sandbox.network.balancers.conftest import Vpc

pytestmark = pytest.mark.sandbox


def test_a_rules_transforms_rewrite_the_path_and_the_host_that_a_target_sees(vpc: Vpc) -> None:
    group = vpc.group()
    vpc.targets(group, vpc.addresses[0])
    balancer = vpc.balancer("application", group, "HTTP")
    path = {"Regex": "^/api/(\\d{1,3})/(.+)$", "Replace": "/$2/$1"}
    host = {"Regex": "^(.+)\\.example\\.com$", "Replace": "$1.example.org"}
    vpc.elb.create_rule(
        ListenerArn=balancer["Listener"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
        Transforms=[
            {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [path]}},
            {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [host]}},
        ],
    )
    url, headers = f"http://{balancer['DNSName']}", ("-H", "Host: shop.example.com")
    vpc.answers(url)
    assert wait_until(lambda: vpc.seen(*headers, f"{url}/api/12/a?b=c(d)")["path"] == "/a?b=c(d)/12", 10, 0.1)
    assert vpc.seen(*headers, f"{url}/api/12/a")["headers"]["host"] == "shop.example.org"
    seen = vpc.seen(*headers, f"{url}/other")
    assert (seen["path"], seen["headers"]["host"]) == ("/other", "shop.example.com")


def test_a_trace_names_what_the_load_balancer_does_only_on_aws(vpc: Vpc, authority: trustme.CA) -> None:
    url = secure(vpc, authority, Mode="off")
    (alb,) = (lb for lb in vpc.elb.describe_load_balancers()["LoadBalancers"] if lb["DNSName"] in url)
    (listener,) = vpc.elb.describe_listeners(LoadBalancerArn=alb["LoadBalancerArn"])["Listeners"]

    def unlike() -> list[str]:
        return control_client.ask(vpc.aws.state, "trace", url=url)["unlikeAws"]

    assert unlike() == []
    login = {
        "Issuer": "https://login.example",
        "AuthorizationEndpoint": "https://login.example/authorize",
        "TokenEndpoint": "https://login.example/token",
        "UserInfoEndpoint": "https://login.example/userinfo",
        "ClientId": "shop",
        "ClientSecret": "nobody-knows",
    }
    actions = [{"Type": "authenticate-oidc", "AuthenticateOidcConfig": login, "Order": 1}]
    actions += [{**listener["DefaultActions"][0], "Order": 2}]
    vpc.elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)
    wanted = f"{alb['LoadBalancerName']} HTTPS:443: logins start but never complete: no identity provider is asked"
    assert wait_until(lambda: unlike() == [wanted], 10, 0.1), unlike()


@pytest.fixture(scope="module")
def authority(vpc: Vpc) -> trustme.CA:
    """A certificate authority, in the bucket `clients`."""
    made, s3 = trustme.CA(), vpc.aws.client("s3")
    s3.create_bucket(Bucket="clients", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="clients", Key="ca.pem", Body=made.cert_pem.bytes())
    return made


def secure(vpc: Vpc, authority: trustme.CA, **mutual: str) -> str:
    """The URL of an ALB that asks clients for a certificate."""
    issued = authority.issue_cert("shop.example")
    body = {"Certificate": issued.cert_chain_pems[0].bytes(), "PrivateKey": issued.private_key_pem.bytes()}
    arn = vpc.aws.client("acm").import_certificate(**body)["CertificateArn"]
    group = vpc.group()
    vpc.targets(group, vpc.addresses[0])
    balancer = vpc.balancer(
        "application", group, "HTTPS", 443, Certificates=[{"CertificateArn": arn}], MutualAuthentication=mutual
    )
    vpc.healthy(group, 1)
    return f"https://{balancer['DNSName']}/"


def certificate(authority: trustme.CA, folder: Path) -> str:
    """The file of a client's certificate and key."""
    folder.mkdir(exist_ok=True)
    path = folder / "client.pem"
    authority.issue_cert("client", common_name="client").private_key_and_cert_chain_pem.write_to_path(str(path))
    return str(path)


def test_a_trust_store_admits_only_clients_with_its_certificates_and_targets_learn_whose(
    vpc: Vpc, authority: trustme.CA, tmp_path: Path
) -> None:
    store = vpc.elb.create_trust_store(
        Name="clients", CaCertificatesBundleS3Bucket="clients", CaCertificatesBundleS3Key="ca.pem"
    )["TrustStores"][0]["TrustStoreArn"]
    url = secure(vpc, authority, Mode="verify", TrustStoreArn=store)
    ours = certificate(authority, tmp_path)
    vpc.answers(url, "-k", "--cert", ours)
    headers = vpc.seen("-k", "--cert", ours, url)["headers"]
    assert headers["x-amzn-mtls-clientcert-subject"].startswith("CN=client,")
    assert headers["x-amzn-mtls-clientcert-leaf"].startswith("-----BEGIN%20CERTIFICATE-----%0AMII")
    assert headers["x-amzn-mtls-clientcert-validity"].startswith("NotBefore=2000-01-01T00:00:00Z;")
    for argv in ((), ("--cert", certificate(trustme.CA(), tmp_path / "other"))):
        assert not vpc.attempt("clients", "curl", "-sk", "--max-time", "5", *argv, url)


def test_a_listener_that_passes_certificates_on_verifies_none(vpc: Vpc, authority: trustme.CA, tmp_path: Path) -> None:
    url = secure(vpc, authority, Mode="passthrough")
    stranger = certificate(trustme.CA(), tmp_path)
    vpc.answers(url, "-k")
    assert "x-amzn-mtls-clientcert" not in vpc.seen("-k", url)["headers"]
    headers = vpc.seen("-k", "--cert", stranger, url)["headers"]
    assert headers["x-amzn-mtls-clientcert"].endswith("-----END%20CERTIFICATE-----%0A")


def test_a_revoked_certificate_is_refused(vpc: Vpc, authority: trustme.CA, tmp_path: Path) -> None:
    s3 = vpc.aws.client("s3")
    good, bad = (certificate(authority, folder) for folder in (tmp_path / "good", tmp_path / "bad"))
    serial = x509.load_pem_x509_certificates(Path(bad).read_bytes())[0].serial_number
    s3.put_object(Bucket="clients", Key="revoked.pem", Body=revoking(authority, serial))
    store = vpc.elb.create_trust_store(
        Name="revoking", CaCertificatesBundleS3Bucket="clients", CaCertificatesBundleS3Key="ca.pem"
    )["TrustStores"][0]["TrustStoreArn"]
    contents = [{"S3Bucket": "clients", "S3Key": "revoked.pem", "RevocationType": "CRL"}]
    vpc.elb.add_trust_store_revocations(TrustStoreArn=store, RevocationContents=contents)
    url = secure(vpc, authority, Mode="verify", TrustStoreArn=store)
    vpc.answers(url, "-k", "--cert", good)
    assert not vpc.attempt("clients", "curl", "-sk", "--max-time", "5", "--cert", bad, url)


def revoking(authority: trustme.CA, serial: int) -> bytes:
    """A list of revoked certificates with one entry."""
    now = datetime.now(UTC)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    revoked = x509.RevokedCertificateBuilder(serial, now).build()
    made = x509.CertificateRevocationListBuilder(issuer, now, now + timedelta(days=1))
    return made.add_revoked_certificate(revoked).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def accelerator(vpc: Vpc) -> Generator[str]:
    """An accelerator's ARN; the accelerator and all below it end with the test."""
    client = vpc.aws.client("globalaccelerator")
    arn = client.create_accelerator(Name="shop")["Accelerator"]["AcceleratorArn"]
    yield arn
    client.update_accelerator(AcceleratorArn=arn, Enabled=False)
    for listener in client.list_listeners(AcceleratorArn=arn)["Listeners"]:
        for group in client.list_endpoint_groups(ListenerArn=listener["ListenerArn"])["EndpointGroups"]:
            client.delete_endpoint_group(EndpointGroupArn=group["EndpointGroupArn"])
        client.delete_listener(ListenerArn=listener["ListenerArn"])
    client.delete_accelerator(AcceleratorArn=arn)


def test_an_accelerator_leads_to_its_load_balancer_with_the_clients_address(vpc: Vpc, accelerator: str) -> None:
    group = vpc.group()
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    client = vpc.aws.client("globalaccelerator")
    listener = client.create_listener(
        AcceleratorArn=accelerator, PortRanges=[{"FromPort": 80, "ToPort": 80}, {"FromPort": 8000, "ToPort": 8000}],
        Protocol="TCP",
    )["Listener"]["ListenerArn"]  # fmt: skip
    made = client.create_endpoint_group(
        ListenerArn=listener,
        EndpointGroupRegion=REGION,
        EndpointConfigurations=[{"EndpointId": balancer["LoadBalancerArn"]}],
        PortOverrides=[{"ListenerPort": 8000, "EndpointPort": 80}],
    )["EndpointGroup"]
    host = client.describe_accelerator(AcceleratorArn=accelerator)["Accelerator"]["DnsName"]
    for url in (f"http://{host}/", f"http://{host}:8000/"):
        vpc.answers(url)
        assert vpc.seen(url)["headers"]["x-forwarded-for"] == CLIENT_ADDRESS
    vpc.healthy(group, 2)

    def health() -> str:
        arn = made["EndpointGroupArn"]
        [endpoint] = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]["EndpointDescriptions"]
        return endpoint["HealthState"]

    assert wait_until(lambda: health() == "HEALTHY", 10, 0.2)
    client.update_accelerator(AcceleratorArn=accelerator, Enabled=False)
    assert wait_until(lambda: not vpc.attempt("clients", "curl", "-s", "--max-time", "1", f"http://{host}/"), 10, 0.2)


def test_an_accelerator_leaves_out_a_load_balancer_whose_targets_are_all_unhealthy(vpc: Vpc, accelerator: str) -> None:
    working, dead = vpc.group(), vpc.group()
    vpc.targets(dead, vpc.addresses[0], port=9)
    balancers = [vpc.balancer("application", group, "HTTP")["LoadBalancerArn"] for group in (working, dead)]
    client = vpc.aws.client("globalaccelerator")
    listener = client.create_listener(
        AcceleratorArn=accelerator, PortRanges=[{"FromPort": 80, "ToPort": 80}], Protocol="TCP"
    )["Listener"]["ListenerArn"]
    client.create_endpoint_group(
        ListenerArn=listener,
        EndpointGroupRegion=REGION,
        EndpointConfigurations=[{"EndpointId": arn} for arn in balancers],
    )
    host = client.describe_accelerator(AcceleratorArn=accelerator)["Accelerator"]["DnsName"]

    def states() -> set[str]:
        return {
            one["State"]["Code"] for one in vpc.elb.describe_load_balancers(LoadBalancerArns=balancers)["LoadBalancers"]
        }

    # From here on only the health of a target changes.
    assert wait_until(lambda: states() == {"active"}, 120, 0.2)
    vpc.targets(working, vpc.addresses[0])
    vpc.healthy(working, 1)
    # Nothing listens on port 9: with both load balancers, half of the answers would be a 502.
    assert wait_until(lambda: vpc.servers(f"http://{host}/", times=8) == {vpc.addresses[0]}, 10, 0.2)
