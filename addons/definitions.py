"""CustomResourceDefinitions: the kinds of objects that a part brings, as resources of their own."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.cluster.remote_objects import as_transforms
from components.metadata.scope import ObjectScope

_TYPE = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def declare_definitions(
    scope: ObjectScope, name: str, source: str, managed: pulumi.ResourceOptions | None
) -> k8s.yaml.v2.ConfigGroup:
    """Declares the definitions of a source.

    Pulumi never deletes them: with a definition go all objects of its kind, whoever made them, and
    what is made of those.

    Args:
        scope: Of the part.
        name: Pulumi name.
        source: A URL of a file, or a folder relative to addons/.
        managed: The part's own options, with what makes objects the stack's own.
    """
    files = [source if "://" in source else f"{source}/*.yaml"]
    return declare_definition_files(scope, name, files, managed)


def declare_definition_files(
    scope: ObjectScope, name: str, files: Sequence[str], managed: pulumi.ResourceOptions | None
) -> k8s.yaml.v2.ConfigGroup:
    """Declares the definitions of some files, each a URL or a path relative to addons/."""
    own = pulumi.ResourceOptions(transforms=[*as_transforms(managed), _retained])
    return k8s.yaml.v2.ConfigGroup(
        name,
        files=list(files),
        opts=pulumi.ResourceOptions.merge(scope.opts, own),
    )


def _retained(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != _TYPE:
        return None
    kept = pulumi.ResourceOptions(retain_on_delete=True)
    return pulumi.ResourceTransformResult(
        props=args.props, opts=pulumi.ResourceOptions.merge(args.opts, kept)
    )
