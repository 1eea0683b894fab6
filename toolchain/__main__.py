"""Command line behind the Makefile: `python3 -m toolchain <command>`."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from cluster_objects.cut_off import was_cut_off
from cluster_objects.json_tree import part
from console import system_refusal
from console.encoding import print_what_can_be_shown
from console.failure import Failure
from console.signals import end_as_by_ctrl_c
from toolchain import (
    addons,
    addresses,
    all_tests,
    environment,
    findings,
    groundwork,
    health,
    invocation,
    lock,
    machine,
    ownership,
    paths,
    plugins,
    python_env,
    removal,
    signing_key,
    tools,
    ui,
)
from toolchain.stack import Stack
from toolchain.state import outputs_in
from toolchain.survey import locate


def up(arguments: argparse.Namespace) -> None:
    """Goes from whatever is there to the running application."""
    stack = Stack(arguments.stack)
    builds_pulumi = tools.builds_pulumi()
    # With what a release needs, which the next update is.
    python_env.ensure("ops", constrained=builds_pulumi)
    place = stack.check_settings()
    if builds_pulumi:
        plugins.check_settings(stack.settings(), stack.file.name)
    choice = machine.chosen(stack)
    first = choice is not None and machine.is_new(stack, choice)
    groundwork.lay(choice, builds_pulumi=builds_pulumi, first=first)
    with ui.step("Pulumi"):
        tools.ensure_pulumi()
        if part(stack.settings(), "images").get("signature"):
            tools.ensure_signing()
    if choice and machine.moves(stack, choice):
        ownership.refuse_new_cluster(stack, choice.called)
    with findings.unless_refused(stack.name):
        # Pulumi is asked while the cluster is looked at.
        with ThreadPoolExecutor() as beside:
            known = beside.submit(stack.state)
            if machine.prepare(stack, choice):
                place = stack.check_settings()
        with ui.step("Stack"), ThreadPoolExecutor() as beside:
            state = known.result()
            if builds_pulumi:
                plugins.check_update(stack.name, state)
            looking = beside.submit(health.look, stack.name, state, outputs_in(state))
            stack.prepare(state)
            target = locate(stack, place, state)
            ownership.refuse_move(target, place)
            ownership.refuse_other(target)
            looked = looking.result()
    interrupted = was_cut_off(state)
    if interrupted:
        ui.say("  an earlier update was cut off: what it has changed is looked at first")
    if looked.missing:
        ui.say(
            f"  gone from the cluster since the last update: {looked.missing}; they are made again"
        )
    with ui.step("pulumi up"):
        releasing = [f"--replace-data={name}" for name in arguments.replace_data]
        if stack.up(
            refresh=bool(looked.missing) or interrupted,
            unready=looked.unready,
            deployed=outputs_in(state),
            release=[*releasing, *(["--yes"] if arguments.yes else [])],
        ):
            state = stack.export()
        else:
            ui.say("  nothing is to be changed, so there is no update")
    with ui.step("Application"):
        outputs = outputs_in(state)
        health.retry_images(stack.name, outputs)
        answering = addresses.answering(stack, outputs)
    ui.summary()
    ui.say("")
    for line in answering:
        ui.say(f"  {line}")
    env = f'eval "$({stack.make("env")})"'
    ui.say(f"  Next: {env}, then pulumi preview, {addresses.pods(outputs)}, …")


def install(arguments: argparse.Namespace) -> None:
    """Installs Pulumi, its plugins and the Python environment."""
    del arguments
    python_env.ensure(constrained=tools.builds_pulumi())
    with ui.step("Pulumi"):
        tools.ensure_pulumi()


def make_signing_key(arguments: argparse.Namespace) -> None:
    """Makes the key pair that the stack's images are signed with."""
    stack = Stack(arguments.stack)
    python_env.ensure(constrained=tools.builds_pulumi())
    with ui.step("Pulumi"):
        tools.ensure_pulumi()
        tools.ensure_signing()
    with ui.step("Stack"):
        stack.prepare(stack.state())
        signing_key.make(stack)


def python(arguments: argparse.Namespace) -> None:
    """Makes the Python environment alone, with what the tests need."""
    del arguments
    python_env.ensure("dev", "ops", "addons", constrained=tools.builds_pulumi())


def python_e2e(arguments: argparse.Namespace) -> None:
    """Makes the Python environment, and finds the browser, of the end-to-end tests."""
    del arguments
    python_env.ensure("dev", "ops", "addons", "e2e", constrained=tools.builds_pulumi())
    tools.ensure_browser()


def python_lint(arguments: argparse.Namespace) -> None:
    """Makes the Python environment with all that the code imports, whose types are checked."""
    del arguments
    python_env.ensure("dev", "ops", "addons", "e2e", "bench", constrained=tools.builds_pulumi())


def python_ops(arguments: argparse.Namespace) -> None:
    """Makes the Python environment with what the operations CLI needs."""
    del arguments
    python_env.ensure("ops", constrained=tools.builds_pulumi())


def python_bench(arguments: argparse.Namespace) -> None:
    """Makes the Python environment with what measures and draws, and finds what to measure too."""
    del arguments
    python_env.ensure("ops", "bench", constrained=tools.builds_pulumi())
    tools.ensure_helm()


def python_newest(arguments: argparse.Namespace) -> None:
    """Makes a second environment with the newest SDKs that requirements.txt allows."""
    del arguments
    python_env.install_program(
        paths.LOCAL / "newest-venv", "dev", "ops", "addons", constrained=False
    )


def write_lock(arguments: argparse.Namespace) -> None:
    """Writes requirements.lock, and requirements.txt, from pyproject.toml.

    Raises:
        Failure: There is no uv here.
    """
    del arguments
    uv = python_env.uv()
    if uv is None:
        raise Failure("The lock is written by uv; `pip install uv`, then run again.")
    lock.write(uv)


def linters(arguments: argparse.Namespace) -> None:
    """Builds what the tests look with at files and objects, and PyPI does not have."""
    del arguments
    tools.ensure_linters()
    tools.ensure_helm()


def test(arguments: argparse.Namespace) -> None:
    """Runs all tests that need no cluster."""
    del arguments
    all_tests.run()


def down(arguments: argparse.Namespace) -> None:
    """Removes the application and its data, and the embedded cluster when nothing else is in it."""
    stack = Stack(arguments.stack)
    removal.down(stack, stack.check_settings(), yes=arguments.yes)


def env(arguments: argparse.Namespace) -> None:
    """Prints the variables for the shell."""
    print(environment.shell(arguments.stack))


def cluster_start(arguments: argparse.Namespace) -> None:
    """Starts the stack's local cluster, and only that."""
    stack = Stack(arguments.stack)
    # The settings are read with it.
    python_env.ensure(constrained=tools.builds_pulumi())
    stack.check_settings()
    choice = machine.chosen(stack)
    if choice and machine.moves(stack, choice):
        machine.start(stack, choice)
        ui.say(
            f"The {choice.called} runs; stack {stack.name} is still in another cluster, and "
            f"`{stack.make('up')}` says whether it can leave it."
        )
        return
    machine.prepare(stack, choice)
    where = choice.called if choice else "its kube context's cluster"
    ui.say(f"Stack {stack.name} has {where}, which runs.")


def cluster_stop(arguments: argparse.Namespace) -> None:
    """Stops the stack's local cluster."""
    stack = Stack(arguments.stack)
    stopped = machine.stop(stack)
    ui.say(
        f"The {stopped} is stopped; its data stays. `{stack.make('cluster-start')}` or "
        f"`{stack.make('up')}` starts it."
    )


def cluster_down(arguments: argparse.Namespace) -> None:
    """Removes the stack's local cluster with all that is in it."""
    removal.cluster_down(Stack(arguments.stack), yes=arguments.yes)


def addons_up(arguments: argparse.Namespace) -> None:
    """Brings the add-ons into the stack's cluster."""
    addons.up(arguments.stack, yes=arguments.yes)


def addons_down(arguments: argparse.Namespace) -> None:
    """Removes the add-ons from the stack's cluster."""
    addons.down(arguments.stack, yes=arguments.yes)


COMMANDS = {
    "up": up,
    "addons": addons_up,
    "addons-down": addons_down,
    "install": install,
    "signing-key": make_signing_key,
    "python": python,
    "python-newest": python_newest,
    "python-ops": python_ops,
    "python-bench": python_bench,
    "python-lint": python_lint,
    "lock": write_lock,
    "linters": linters,
    "test": test,
    "python-e2e": python_e2e,
    "down": down,
    "env": env,
    "cluster-start": cluster_start,
    "cluster-stop": cluster_stop,
    "cluster-down": cluster_down,
}


def main() -> int:
    """Runs one command; failures are one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="toolchain", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--stack", default="minikube")
    parser.add_argument("--yes", action="store_true", help="do not ask before removing data")
    parser.add_argument(
        "--replace-data", action="append", default=[], help="of `up`: KIND/NAME that may go"
    )
    arguments = parser.parse_args()
    print_what_can_be_shown()
    end_as_by_ctrl_c()
    try:
        COMMANDS[arguments.command](arguments)
    except Failure as failure:
        print(f"\n✗ {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has heard enough (`make env | head`); Python would say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"\n✗ {system_refusal.sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = invocation.make(arguments.command, arguments.stack)
        print(f"\n✗ Interrupted; run `{again}` again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
