"""Understands chat messages with any OpenAI-compatible endpoint that can call tools."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import httpx
from pydantic import ValidationError

from ..settings import Settings, read_secret
from .intents import AddTodo, ChangeTodo, DeleteTodo, Intent, ListTodos

_TOOLS: dict[str, type[Intent]] = {
    "add_todo": AddTodo,
    "list_todos": ListTodos,
    "change_todo": ChangeTodo,
    "delete_todo": DeleteTodo,
}
_ROUNDS = 6
_TIMEOUT = httpx.Timeout(60, connect=5)

Run = Callable[[Intent], Awaitable[str]]


class ModelUnavailableError(Exception):
    """The endpoint failed or answered something unusable."""


def configured(settings: Settings) -> bool:
    """Tells whether a language model is to be used."""
    return bool(settings.chat_base_url and settings.chat_model)


async def converse(
    settings: Settings, history: list[dict[str, str]], message: str, today: date, run: Run
) -> AsyncIterator[str]:
    """Yields the answer piece by piece, running the tools the model calls."""
    messages: list[dict[str, Any]] = [
        {
            "role": "system",
            "content": "You manage the user's todo list with the given tools, and nothing else. "
            f"Today is {today:%A}, {today.isoformat()}. Answer briefly, in plain text, in the "
            "user's language. Never claim a change that no tool has confirmed.",
        },
        *history,
        {"role": "user", "content": message},
    ]
    headers = {}
    if key := read_secret(settings.chat_api_key_file):
        headers["Authorization"] = f"Bearer {key}"
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, headers=headers) as client:
            for _ in range(_ROUNDS):
                reply: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": {}}
                async for text in _complete(client, settings, messages, reply):
                    yield text
                calls = list(reply.pop("tool_calls").values())
                if not calls:
                    return
                messages.append(reply | {"tool_calls": calls})
                for call in calls:
                    result = await _call(call["function"], run)
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,  # JSON of another shape, as a gateway in front may answer
    ) as error:
        raise ModelUnavailableError(type(error).__name__) from error


async def _complete(
    client: httpx.AsyncClient,
    settings: Settings,
    messages: list[dict[str, Any]],
    reply: dict[str, Any],
) -> AsyncIterator[str]:
    """Streams one completion: yields its text and collects its tool calls in ``reply``."""
    body = {
        "model": settings.chat_model,
        "messages": messages,
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": name,
                    "description": kind.__doc__,
                    "parameters": kind.model_json_schema(),
                },
            }
            for name, kind in _TOOLS.items()
        ],
    }
    url = f"{(settings.chat_base_url or '').rstrip('/')}/chat/completions"
    async with client.stream("POST", url, json=body) as response:
        response.raise_for_status()
        if response.headers.get("content-type", "").startswith("application/json"):
            whole = json.loads(await response.aread())["choices"][0]["message"]
            parts: AsyncIterator[dict[str, Any]] = _once(whole)
        else:
            parts = _events(response)
        async for part in parts:
            for position, piece in enumerate(part.get("tool_calls") or ()):
                _collect(reply["tool_calls"], piece, piece.get("index", position))
            if text := part.get("content"):
                reply["content"] += text
                yield text


async def _once(part: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield part


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yields the deltas of a stream of server-sent events."""
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        choices = json.loads(data).get("choices")
        if choices:
            yield choices[0].get("delta") or {}


def _collect(calls: dict[int, dict[str, Any]], piece: dict[str, Any], index: int) -> None:
    """Adds one streamed piece of a tool call to what there is of it."""
    call = calls.setdefault(
        index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    )
    call["id"] = piece.get("id") or call["id"] or f"call-{index}"
    function = piece.get("function") or {}
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


async def _call(function: dict[str, str], run: Run) -> str:
    """Runs one tool; what the model got wrong is told to the model."""
    kind = _TOOLS.get(function["name"])
    if kind is None:
        return f"There is no tool {function['name']!r}."
    try:
        intent = kind.model_validate_json(function["arguments"] or "{}")
    except ValidationError as error:
        return f"Wrong arguments: {error.errors()[0]['msg']}"
    return await run(intent)
