"""moto in the sandbox: its applications, called without a network, with our corrections and extensions."""

import functools
import io
import logging
from typing import Any
from urllib.parse import unquote, urlsplit

import moto.core.responses
import moto.core.utils
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.utilities.utils import get_partition
from werkzeug.wrappers import Response

from sandbox.aws import corrections, determinism, node_images, serializing, sts
from sandbox.aws.accelerators import api as accelerators_api
from sandbox.aws.accelerators.store import Accelerators
from sandbox.aws.corrections.elbv2 import load_balancers
from sandbox.aws.corrections.elbv2 import targets as elb_targets
from sandbox.aws.eks import api as eks_api
from sandbox.aws.eks import auth, logs, settling
from sandbox.aws.patching import replace
from sandbox.aws.repeats import Repeats
from sandbox.iam.language.trust import Door
from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial, error_reply
from sandbox.run.latency import Latency

log = logging.getLogger(__name__)
# The services that the project's stack calls. moto loads others at their first call.
_PRELOADED = ("ec2", "elasticloadbalancing", "iam", "sts", "eks")
# A node group replaces an instance that was terminated.
_TOUCH_NODES = {("ec2", "TerminateInstances")}


class Emulator:
    """Answers calls. Its whole state is in memory, and a function of the calls so far."""

    def __init__(  # noqa: PLR0917 - what an account consists of
        self, seed: int, time: float, region: str, account: str, endpoint: str, latency: Latency
    ) -> None:
        self.latency = latency
        self.region = region
        self.account = account
        self.endpoint = endpoint
        determinism.install(seed, time)
        corrections.install()
        load_balancers.slow_down(latency)
        node_images.install()
        logs.install()
        self.eks = eks_api.install(region, account, endpoint)
        self.door = Door()
        sts.install(self.eks, self.door)
        # EC2's response class has hundreds of methods; moto lists them again at every call, which takes 2 ms.
        listing: Any = moto.core.utils.method_names_from_class
        replace(moto.core.responses, "method_names_from_class", functools.cache(listing))
        serializing.install()
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self.accelerators = Accelerators(account, get_partition(region), region, latency)
        self._applications: dict[str, Any] = {
            "eks-auth": auth.application(self.eks, self.door),
            "globalaccelerator": accelerators_api.application(self.accelerators),
        }
        self._repeats = Repeats()
        for service in _PRELOADED:
            self._application(service)

    def answer(self, call: Call) -> Response:
        """Carry out a call."""
        if call.service is None:
            return error_reply(
                call, Denial("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
            )
        try:
            application = self._application(call.service)
        except KeyError:
            return error_reply(call, Denial("UnknownService", f"the sandbox has no service {call.service}", 400))
        repeated = self._repeats.answer(call)
        if repeated:
            return repeated
        try:
            reply = Response.from_app(application, self._environ(call), buffered=True)
            self._repeats.keep(call, reply)
            if call.service == "elasticloadbalancing" and call.writes:
                elb_targets.forget_users()
            if (call.service, call.action) in _TOUCH_NODES:
                settling.settle(self.eks)
        except NotImplementedError as error:
            text = f"the sandbox has no {call.service}:{call.action} ({error})"
            return error_reply(call, Denial("NotImplemented", text, 501))
        except Exception as error:
            log.exception("%s:%s failed", call.service, call.action)
            return error_reply(call, Denial("InternalFailure", f"{type(error).__name__}: {error}", 500))
        return reply

    def _application(self, service: str) -> Any:
        if service not in self._applications:
            host = self._dispatcher.infer_service_region_host(self._scope(service, ""), "/")
            backend = self._dispatcher.get_backend_for_host(host)
            if backend is None:
                raise KeyError(service)
            made = create_backend_app(backend)
            made.config["PROPAGATE_EXCEPTIONS"] = True
            self._applications[service] = made
        return self._applications[service]

    def _scope(self, service: str, access_key: str) -> dict[str, Any]:
        credential = f"{access_key}/20200101/{self.region}/{service}/aws4_request"
        return {
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            "PATH_INFO": "/",
            "HTTP_HOST": urlsplit(self.endpoint).netloc,
        }

    def _environ(self, call: Call) -> dict[str, Any]:
        """The WSGI environment of a call: the same when it arrives and when it is replayed."""
        address = urlsplit(self.endpoint)
        path, query = urlsplit(call.url).path, urlsplit(call.url).query
        environ = {
            "REQUEST_METHOD": call.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "RAW_URI": call.url,
            "REQUEST_URI": call.url,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(call.body)),
            "SERVER_NAME": address.hostname,
            "SERVER_PORT": str(address.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": address.netloc,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(call.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if "authorization" not in call.headers:
            # A presigned URL has its credential in the query, an unsigned call has none: moto looks only in the header.
            environ |= self._scope(call.service or "", call.access_key or "")
            environ["PATH_INFO"] = unquote(path, "latin-1")
        for name, value in call.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return environ
