"""The pack's server: the engine asks it about each resource, then about the stack.

The protocol is the engine's: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto. The pack serves
it without the SDK pulumi-policy. That SDK's server parses each request again for every rule, drops the marks of
secrets, and accepts any configuration.
"""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from pack.configuration import problems
from pack.properties import sent
from pack.registry import Level, Rule, schema
from pack.resources import resource
from pack.session import Said, Session

_NO_LIMIT: Final = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]
_SEVERITIES: Final = {
    name.removeprefix("POLICY_SEVERITY_").lower(): number for name, number in analyzer_pb2.PolicySeverity.items()
}


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine."""

    def __init__(self, name: str, version: str, rules: Iterable[Rule]) -> None:
        self._name, self._version = name, version
        self._session = Session(rules)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Take the profile, or report its errors, which stops the engine."""
        given = {name: sent(one.properties) for name, one in request.policyConfig.items()}
        if found := list(problems(given, self._session.policies)):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "; ".join(found))
        levels = {
            name: Level(analyzer_pb2.EnforcementLevel.Name(one.enforcementLevel).lower())
            for name, one in request.policyConfig.items()
        }
        self._session.configure(given, levels)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
        """Return this version."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
        """Return the policies."""
        policies = [_about(rule) for rule in self._session.policies.values()]
        return analyzer_pb2.AnalyzerInfo(name=self._name, version=self._version, supportsConfig=True, policies=policies)

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
        """Check a resource before it is created."""
        return self._answer(self._session.declare(resource(request)))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
        """Check what needs several resources, when all are known."""
        return self._answer(self._session.finish([resource(one) for one in request.resources]))

    def Remediate(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
        """Change a resource, for the rules that can fix it."""
        response = analyzer_pb2.RemediateResponse()
        for rule, properties in self._session.remedies(request):
            response.remediations.append(
                analyzer_pb2.Remediation(
                    policyName=rule.name,
                    policyPackName=self._name,
                    policyPackVersion=self._version,
                    description=rule.demand,
                    properties=properties,
                )
            )
        return response

    def _answer(self, said: Iterable[Said]) -> Any:
        return analyzer_pb2.AnalyzeResponse(
            diagnostics=[
                analyzer_pb2.AnalyzeDiagnostic(
                    policyName=one.rule.name,
                    policyPackName=self._name,
                    policyPackVersion=self._version,
                    description=one.rule.demand,
                    message=one.message,
                    enforcementLevel=_number(one.level),
                    severity=_SEVERITIES[one.rule.severity],
                    urn=one.urn,
                )
                for one in said
            ]
        )


def _number(level: Level) -> Any:
    return analyzer_pb2.EnforcementLevel.Value(level.upper())


def _about(rule: Rule) -> Any:
    about = analyzer_pb2.PolicyInfo(
        name=rule.name,
        description=rule.demand,
        enforcementLevel=_number(rule.prod),
        severity=_SEVERITIES[rule.severity],
        remediation_steps=rule.instead,
        url=rule.source,
        tags=[rule.subject, *(str(control) for control in rule.controls)],
        policy_type=(analyzer_pb2.POLICY_TYPE_STACK if rule.across_stack else analyzer_pb2.POLICY_TYPE_RESOURCE),
    )
    if rule.controls:  # the protocol has room for only one; the others are in the tags
        first = rule.controls[0]
        about.framework.name, about.framework.reference = first.framework, first.number
        about.framework.specification = first.title
    if rule.settings:
        about.configSchema.properties.update(schema(rule))
    return about


def serve(analyzer: Analyzer, wait: Callable[[Any], None] = lambda server: server.wait_for_termination()) -> None:
    """Serve the engine, which reads the port from stdout, until it stops this process."""
    server = grpc.server(ThreadPoolExecutor(max_workers=1), options=_NO_LIMIT)  # resources are checked one by one
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(analyzer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    wait(server)
