"""Pulumi's side of a stack: its state, configuration and updates, by Pulumi's Automation API."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, StepEventMetadata

from console.failure import ExitCode, Failure
from ops.environment import enter
from ops.pulumi_command import Command
from ops.pulumi_failures import failure_of, unfit

T = TypeVar("T")


class _Workspace(auto.LocalWorkspace):
    """The project's folder."""

    def select_stack(self, stack_name: str) -> None:
        """Leaves the user's selected stack as it is: every command names the stack anyway."""


class PulumiStack:
    """One stack of a project."""

    def __init__(self, project: Path, name: str | None) -> None:
        """Remembers where and on what to run.

        Args:
            project: Folder with Pulumi.yaml.
            name: The stack's name; None: the selected one.

        Raises:
            Failure: There is no such project.
        """
        self.project, self._name = project, name
        """Folder with Pulumi.yaml."""
        if not (project / "Pulumi.yaml").exists():
            raise Failure(
                f"There is no Pulumi.yaml in {project}; run in the project's folder or name it "
                "with --project.",
                ExitCode.USAGE,
            )

    @property
    def name(self) -> str:
        """The stack's name, for every command of Pulumi."""
        return self._stack.name

    @property
    def project_name(self) -> str:
        """The project's name."""
        return self._stack.workspace.project_settings().name

    @cached_property
    def _stack(self) -> auto.Stack:
        enter(self.project, self._name)
        try:
            workspace = _Workspace(work_dir=str(self.project), pulumi_command=Command())
        except auto.InvalidVersionError as error:
            raise unfit(error) from None
        except FileNotFoundError:
            raise Failure(
                'The command pulumi is not found; run `make install`, then eval "$(make env)".',
                ExitCode.UNREACHABLE,
            ) from None
        name = self._name or self._selected(workspace)
        return auto.Stack.select(name, workspace)

    def _selected(self, workspace: auto.LocalWorkspace) -> str:
        found = _explained("stack ls", workspace.stack)
        if found is None:
            raise Failure(
                "No stack is selected; choose one: pulumi stack select <name>.",
                ExitCode.UNREACHABLE,
            )
        return found.name

    def outputs(self) -> dict[str, Any]:
        """Returns the stack's outputs, secret ones masked."""
        return self._json("stack", "output", "--json")

    def export(self) -> dict[str, Any]:
        """Returns the stack's state, its secrets encrypted."""
        return self._json("stack", "export")

    def _json(self, *arguments: str) -> dict[str, Any]:
        # Automation's own outputs() and export_stack() decrypt every secret (--show-secrets).
        stack = self._stack
        done = _explained(
            " ".join(arguments[:2]),
            lambda: stack.workspace.pulumi_command.run(
                [*arguments, "--stack", stack.name], str(self.project), {}
            ),
        )
        return json.loads(done.stdout)

    def config(self, key: str, *, path: bool = False) -> str | None:
        """Returns a value of the stack's configuration, decrypted, or None where there is none.

        Args:
            key: Its key.
            path: Whether the key is a path into an object.
        """
        stack = self._stack

        def read() -> str | None:
            try:
                return stack.get_config(key, path=path).value
            except auto.CommandError as error:
                if "not found for stack" in str(error):
                    return None
                raise

        return _explained("config get", read)

    def set_secret(self, key: str, value: str) -> None:
        """Writes a value, encrypted, into the stack's configuration.

        Through standard input: Automation's set_config() would put it on a command line, which
        everybody on the machine may read.

        Raises:
            Failure: Pulumi refused.
        """
        stack = self._stack
        command = cast("Command", stack.workspace.pulumi_command)
        arguments = ["config", "set", "--secret", key, "--stack", stack.name]
        _explained("config set", lambda: command.run(arguments, str(self.project), {}, stdin=value))

    def remove_config(self, key: str) -> None:
        """Removes a value from the stack's configuration."""
        _explained("config rm", lambda: self._stack.remove_config(key))

    def set_config(self, key: str, value: str, *, path: bool = False) -> None:
        """Writes a value that is no secret into the stack's configuration.

        Args:
            key: Its key.
            value: The value.
            path: Whether the key is a path into an object.

        Raises:
            Failure: Pulumi refused.
        """
        plain = auto.ConfigValue(value=value, secret=False)
        _explained("config set", lambda: self._stack.set_config(key, plain, path=path))

    def set_in_file(self, file: Path, values: Mapping[str, str]) -> None:
        """Writes values that are no secrets into a file like the stack's own.

        Args:
            file: The file.
            values: Path of a key to its value.

        Raises:
            Failure: Pulumi refused.
        """
        stack = self._stack
        written = [word for it in values.items() for word in ("--plaintext", "=".join(it))]
        words = ["config", "set-all", "--path", *written, "--config-file", str(file)]
        words += ["--stack", stack.name]
        _explained(
            "config set-all",
            lambda: stack.workspace.pulumi_command.run(words, str(self.project), {}),
        )

    def up(
        self,
        targets: Sequence[str] | None,
        variables: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
    ) -> None:
        """Runs `pulumi up`.

        Args:
            targets: URNs of the only resources that are updated, with wildcards; None: all.
            variables: What the program finds in its environment besides.
            refresh: Whether it looks at them in the cluster first, and makes what is gone.

        Raises:
            Failure: It failed.
        """
        chosen = None if targets is None else [*targets]
        with self._given(variables or {}) as stack:
            _explained("up", lambda: stack.up(target=chosen, refresh=refresh, show_secrets=False))

    def check(self, targets: Sequence[str], variables: Mapping[str, str]) -> None:
        """Previews what `up` would do with the same arguments.

        Raises:
            Failure: The program or Pulumi would refuse it.
        """
        with self._given(variables) as stack:
            _explained("preview", lambda: stack.preview(target=[*targets]))

    @contextmanager
    def _given(self, variables: Mapping[str, str]) -> Generator[auto.Stack]:
        stack = self._stack
        stack.workspace.env_vars = dict(variables)
        try:
            yield stack
        finally:
            stack.workspace.env_vars = {}

    def unprotect(self, urns: Sequence[str]) -> None:
        """Lets Pulumi delete resources that it has to protect.

        Raises:
            Failure: It failed.
        """
        stack = self._stack
        for urn in urns:
            words = ["state", "unprotect", urn, "--yes", "--stack", stack.name]
            _explained(
                "state unprotect",
                lambda words=words: stack.workspace.pulumi_command.run(
                    words, str(self.project), {}
                ),
            )

    def wanted_inputs(self, urn: str) -> dict[str, Any]:
        """Returns what the program now declares of a resource that is deployed.

        Also where the program refuses to go from the one to the other.

        Raises:
            Failure: The program ended before.
        """
        found: list[EngineEvent] = []
        refusal: Failure | None = None
        try:
            _explained("preview", lambda: self._stack.preview(target=[urn], on_event=found.append))
        except Failure as failure:
            refusal = failure
        for event in found:
            step = event.resource_pre_event.metadata if event.resource_pre_event else None
            if step and step.urn == urn and step.new and step.new.inputs:
                return dict(step.new.inputs)
        raise refusal or Failure(
            "The program does not declare the database's server; see `pulumi preview`."
        )

    def history(self, number: int) -> list[auto.UpdateSummary]:
        """Returns the newest updates, newest first."""
        return _explained(
            "stack history",
            lambda: self._stack.history(page_size=number, show_secrets=False),
        )

    def preview_refresh(self) -> list[StepEventMetadata]:
        """Returns what a refresh finds of each resource; changes nothing."""
        found: list[EngineEvent] = []
        _explained("refresh", lambda: self._stack.preview_refresh(on_event=found.append))
        return [it.res_outputs_event.metadata for it in found if it.res_outputs_event]

    def preview(self) -> list[StepEventMetadata]:
        """Returns what `pulumi up --refresh` would do with each resource; changes nothing."""
        found: list[EngineEvent] = []
        _explained("preview", lambda: self._stack.preview(refresh=True, on_event=found.append))
        return [it.resource_pre_event.metadata for it in found if it.resource_pre_event]


def _explained(command: str, call: Callable[[], T]) -> T:
    """Returns what a call returns; its failure is one sentence.

    Ctrl-C waits for its end: the terminal sends the signal to Pulumi too, which then finishes what
    it has begun and releases its lock. Automation itself would close Pulumi's output under it.
    """
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call)
        try:
            return running.result()
        except auto.CommandError as error:
            raise failure_of(command, error) from None
        except auto.InvalidVersionError as error:
            raise unfit(error) from None
        except RuntimeError as error:
            # Automation has no type of its own for it.
            if "summary event never found" not in str(error):
                raise
            raise Failure(
                f"`pulumi {command}` ended without a summary; run it by hand to see why."
            ) from None
