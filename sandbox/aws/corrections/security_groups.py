"""Rules of security groups: descriptions of prefix lists are returned like those of addresses.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PrefixListId.html
"""

from typing import Any

from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from sandbox.aws.patching import replace


def install() -> None:
    """Install the corrections."""
    make, flatten = SecurityGroupRule.__init__, SecurityGroup._flattened_rules

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        given = more.get("prefix_list_id") or (arguments[7] if len(arguments) > 7 else None) or {}  # noqa: PLR2004 - its place
        self.prefix_list_description = given.get("Description")

    def flattened_rules(self: SecurityGroup, rules: list[Any]) -> list[Any]:
        views = flatten(self, rules)
        said = {
            (rule.ip_protocol, rule.from_port, rule.to_port, rule.prefix_list_id): rule.prefix_list_description
            for rule in rules
            if rule.prefix_list_id and rule.prefix_list_description
        }
        for view in views:
            for prefixes in view.prefix_list_ids:
                key = (view.ip_protocol, view.from_port, view.to_port, prefixes["PrefixListId"])
                if key in said:
                    prefixes["Description"] = said[key]
        return views

    replace(SecurityGroupRule, "__init__", init)
    replace(SecurityGroup, "_flattened_rules", flattened_rules)
