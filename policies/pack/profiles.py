"""Profiles: each rule's level and settings as a file for `--policy-pack-config`."""

from typing import Any, Final

from pack.registry import RULES, Rule, camel

# What a profile sets otherwise than the rules' defaults: {profile: {rule: {setting: value}}}.
SETTINGS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "prod": {
        # REPLACE: these accounts are nobody's, as in Pulumi.staging.yaml and Pulumi.prod.yaml.
        "cluster-admins-are-named-by-the-profile": {
            "adminPrincipals": [
                "arn:aws:iam::111122223333:role/staging-deployer",
                "arn:aws:iam::444455556666:role/prod-deployer",
            ]
        }
    },
    "dev": {},
}


def level(rule: Rule, profile: str) -> str:
    """Return a rule's level in a profile: `mandatory` or `advisory`."""
    return {"prod": rule.prod, "dev": rule.dev}[profile].value


def profile(name: str) -> dict[str, dict[str, Any]]:
    """Return a profile's content: every rule with its level and all its settings, so that a copy is easily changed."""
    return {
        rule.name: {
            "enforcementLevel": level(rule, name),
            **{camel(key): setting.default for key, setting in rule.settings.items()},
            **SETTINGS[name].get(rule.name, {}),
        }
        for rule in RULES.values()
    }
