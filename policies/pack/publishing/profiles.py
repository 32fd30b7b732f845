"""Profiles: each rule's level and settings as a file for `--policy-pack-config`."""

from typing import Any, Final

from pack.registry import Level, Rule, by_subject, camel

# Settings in a profile that differ from the rules' defaults: {profile: {rule: {setting: value}}}.
SETTINGS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "prod": {
        # REPLACE: these accounts are placeholders, as in Pulumi.staging.yaml and Pulumi.prod.yaml.
        "cluster-admins-are-named-by-the-profile": {
            "adminPrincipals": [
                "arn:aws:iam::111122223333:role/staging-deployer",
                "arn:aws:iam::444455556666:role/prod-deployer",
            ]
        }
    },
    "dev": {},
    "sandbox": {},
}
# Rules that the profile sandbox switches off and dev does not: the sample stack has no account, no name and a short
# life.
NOT_IN_SANDBOX: Final = {
    "alb-redirects-http-to-https": "the sample has no certificate",
    "cluster-admins-are-named-by-the-profile": "whoever runs the sandbox administers it",
    "cluster-is-protected-from-deletion": "`make down` deletes it",
    "controller-is-out-of-known-vulnerabilities": "the release that registries serve everywhere is not the newest",
    "controller-refuses-legacy-annotations": "recordings of the real controller use them",
    "ingress-rules-name-their-hosts": "the sample has no host name",
    "load-balancer-is-protected-from-deletion": "`make down` deletes them",
    "load-balancer-writes-access-logs": "there is no bucket",
    "role-for-pods-has-a-permissions-boundary": "there is no account to bound",
    "source-ranges-are-given": "only this machine reaches the load balancers",
}


def level(rule: Rule, profile: str) -> str:
    """Return a rule's level in a profile: `mandatory`, `advisory` or `disabled`."""
    sandbox = Level.DISABLED if rule.name in NOT_IN_SANDBOX else rule.dev
    return {"prod": rule.prod, "dev": rule.dev, "sandbox": sandbox}[profile].value


def profile(name: str) -> dict[str, dict[str, Any]]:
    """Return a profile's content: every rule with its level and all its settings, so that a copy is easy to change."""
    return {
        rule.name: {
            "enforcementLevel": level(rule, name),
            **{camel(key): setting.default for key, setting in rule.settings.items()},
            **SETTINGS[name].get(rule.name, {}),
        }
        for rule in by_subject()
    }
