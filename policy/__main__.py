"""The policy pack: `pulumi preview --policy-pack policy`."""

import sys
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from policy.rules import RULES, STACK_RULES, Resource, Rule, StackRule
from policy.waivers import stack_violations, violations


def _resource_policy(rule: Rule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(type=args.resource_type, name=args.name, properties=args.props)
        for message in violations(rule, resource):
            report(f"{args.name} {message}", args.urn)

    return ResourceValidationPolicy(name=rule.name, description=rule.description, validate=validate)


def _stack_policy(rule: StackRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [
            Resource(type=it.resource_type, name=it.name, properties=it.props)
            for it in args.resources
        ]
        for message in stack_violations(rule, resources):
            report(message, None)

    return StackValidationPolicy(name=rule.name, description=rule.description, validate=validate)


PolicyPack(
    "todo",
    policies=[*map(_resource_policy, RULES), *map(_stack_policy, STACK_RULES)],
    enforcement_level=EnforcementLevel.MANDATORY,
)
