import json
import os
from collections.abc import Generator

import pulumi.provider.experimental.provider as sdk
import pytest

from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.common.values import to_properties
from tests.sandbox.aws.harness import REGION, ROOT, Aws
from tests.sandbox.providers.aws.engine import Engine

DEFAULT_TAGS = {"team": "platform"}


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """The sandbox's AWS, with clusters that are ready at once."""
    process = Aws(tmp_path_factory.mktemp("aws"))
    process.start()
    os.environ["AWS_ENDPOINT_URL"] = process.url
    yield process
    del os.environ["AWS_ENDPOINT_URL"]
    process.end()


def configured(**settings: object) -> Engine:
    engine = Engine(AwsProvider(pause=0.01))
    keys = {"accessKey": ROOT["access_key"], "secretKey": ROOT["secret_key"]}
    tags = json.dumps({"tags": DEFAULT_TAGS})
    args = to_properties({"region": REGION, **keys, "defaultTags": tags, **settings})
    engine.run(engine.provider.configure(sdk.ConfigureRequest({}, args, accept_secrets=True, accept_resources=True)))
    return engine


@pytest.fixture(scope="session")
def engine(aws: Aws) -> Engine:
    """An engine with one provider: boto3's clients take half a second to make."""
    assert aws.ready()
    return configured()
