"""The names, types and parents that resources had before, so that none of them is made anew.

All of it in one place: the components do not know what they were once. A stack that is deployed
keeps its objects as long as what was true of them is said here; tests/program/former/ has the
states of all layouts that stacks may be deployed with.
"""

import pulumi

_TYPES = {
    "kubernetes-app-components:index:AppDeployment": "todo:kubernetes:AppDeployment",
    "kubernetes-app-components:index:PostgresStatefulSet": "todo:kubernetes:PostgresStatefulSet",
    "kubernetes-app-components:index:ContainerImage": "todo:kubernetes:AppImage",
}
"""Components to the types that they had as parts of this program."""
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def keep_former(stack: pulumi.Resource, name: str) -> pulumi.ResourceTransformation:
    """Returns a transformation that says of each resource of a TodoStack what it was before.

    Args:
        stack: The TodoStack, once the parent of all policies.
        name: Its name, which children's names did not begin with once.
    """

    def keep(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        unprefixed = args.name.removeprefix(f"{name}-")
        if args.type_ in _TYPES:
            former = _TYPES[args.type_]
            aliases = [pulumi.Alias(type_=former), pulumi.Alias(type_=former, name=unprefixed)]
        elif args.type_ == _POLICY:
            aliases = [pulumi.Alias(parent=stack), pulumi.Alias(parent=stack, name=unprefixed)]
        else:
            return None
        opts = pulumi.ResourceOptions(aliases=aliases)
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, opts)
        )

    return keep
