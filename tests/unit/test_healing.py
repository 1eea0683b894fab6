"""`make up` heals a stack where it is, and makes nothing again where somebody else is by now."""

from typing import Any

import pytest

from tests.unit.clone import MANAGED, Clone, deployed, in_namespace, mark, thing


class TestUp:
    """What heals a stack makes nothing again where somebody else is by now."""

    @pytest.mark.parametrize("of", ["two", None])
    def test_does_not_heal_in_a_namespace_of_others(self, cloud: Clone, of: str | None) -> None:
        found = thing("Namespace", "shop", of=of)
        found["metadata"]["uid"] = "made later"
        cloud.cluster("shop-cluster", found, thing("Secret", "theirs", "shop", of))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert len(done.err.strip().splitlines()) == 1
        assert "Namespace shop at https://shop-cluster.example" in done.err
        assert (mark("two") if of else "somebody has made it anew") in done.err
        assert (f"shop todo-kubernetes/stack={mark('cloud')}" in done.err) is (of is None)

    def test_heals_in_its_own_namespace(self, cloud: Clone) -> None:
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        assert [it for it in done.calls if it.startswith("pulumi up")]

    def test_makes_a_namespace_that_is_gone_again(self, cloud: Clone) -> None:
        cloud.cluster("shop-cluster")
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        assert [it for it in done.calls if it.startswith("pulumi up") and "--refresh" in it]

    @pytest.mark.parametrize("ready", [True, False])
    def test_looks_after_a_database_that_an_earlier_update_broke(
        self, cloud: Clone, ready: bool
    ) -> None:
        pods = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": int(ready)}
        status = {"observedGeneration": 1, **pods}
        server = thing("StatefulSet", "postgres", "shop", "cloud", status=status)
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], server, context="shop-cluster"))
        cloud.cluster("shop-cluster", *in_namespace("cloud"), server)
        cloud.finds_nothing_to_change()
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
        updates = [it for it in done.calls if it.startswith("pulumi up")]
        assert len(updates) == (0 if ready else 1)
        assert ("so there is no update" in done.out) is ready
        assert ("not ready: StatefulSet postgres" in done.out) is not ready

    def test_does_not_move_a_stack_to_another_cluster(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "current"))
        cloud.cluster("current", thing("Namespace", "todo-app"))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert len(done.err.strip().splitlines()) == 1
        assert "deployed to context shop-cluster" in done.err
        assert "lead to context current at https://current.example" in done.err

    def test_may_call_the_same_cluster_by_another_name(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "renamed"))
        cloud.cluster("renamed", *in_namespace("cloud"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err

    def test_without_a_context_is_not_made_again_in_another_current_cluster(
        self, cloud: Clone
    ) -> None:
        cloud.stack("cloud", MANAGED.replace(", context: shop-cluster", ""))
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], context=None))
        cloud.cluster("current", thing("Namespace", "todo-app"))
        done = cloud.run("up", "cloud")
        assert done.code == 1
        assert not [it for it in done.calls if it.startswith("pulumi up")]
        assert "Nothing that stack cloud made is in the cluster of context current" in done.err
        cloud.cluster("current", *in_namespace("cloud"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err

    @pytest.mark.parametrize("there", [[], [thing("Namespace", "shop", of="cloud")]])
    def test_without_a_context_is_not_forgotten_in_another_current_cluster(
        self, cloud: Clone, there: list[dict[str, Any]]
    ) -> None:
        cloud.stack("cloud", MANAGED.replace(", context: shop-cluster", ""))
        cloud.state("cloud", *deployed(*in_namespace("cloud")[:1], context=None))
        others = [{**it, "metadata": {**it["metadata"], "uid": "another"}} for it in there]
        cloud.cluster("current", *others)
        done = cloud.run("down", "cloud")
        assert done.code == 1
        assert not done.changes()
        assert "Nothing that stack cloud made is in the cluster of context current" in done.err

    def test_is_found_by_the_list_of_kubeconfigs_that_pulumi_has_written_down(
        self, cloud: Clone
    ) -> None:
        own = in_namespace("cloud")[:1]
        cloud.state("cloud", *deployed(*own, context="shop-cluster", kubeconfig="/mine:/theirs"))
        done = cloud.run("down", "cloud")
        assert done.code == 0, done.err
        asked = [it for it in done.calls if it.startswith("kubectl")]
        assert asked
        assert not any("/mine:/theirs" in it for it in asked)

    def test_goes_where_it_likes_while_nothing_is_deployed(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED.replace("shop-cluster", "current"))
        cloud.state("cloud", *deployed(context="shop-cluster"))
        done = cloud.run("up", "cloud")
        assert done.code == 0, done.err
