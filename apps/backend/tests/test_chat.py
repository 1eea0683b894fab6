"""The chat: streamed answers, stored conversations, the language model and its absence."""

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient

from todo_backend.settings import Settings, get_settings

from .postgres import External

Events = list[dict[str, Any]]


def say(client: TestClient, message: str, **more: Any) -> Events:
    body = {"message": message, "today": "2026-01-28", **more}
    answer = client.post("/api/chat", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.split("\n") if line]


def text(events: Events) -> str:
    return "".join(event.get("text", "") for event in events)


def todos(client: TestClient) -> Events:
    return client.get("/api/todos").json()["items"]


def test_a_conversation(client: TestClient) -> None:
    talk = str(uuid.uuid4())
    events = say(client, "add buy milk tomorrow", conversation_id=talk)
    assert [event["type"] for event in events][:2] == ["start", "changed"]
    assert events[-1] == {"type": "end"}
    assert "no language model" in text(events)
    assert todos(client)[0]["due_date"] == "2026-01-29"
    assert "“buy milk”" in text(say(client, "list", conversation_id=talk))
    say(client, "complete milk", conversation_id=talk)
    assert todos(client)[0]["done"]
    say(client, "delete buy milk", conversation_id=talk)
    assert todos(client) == []
    assert "found no todo" in text(say(client, "delete buy milk", conversation_id=talk))
    path = f"/api/chat/conversations/{talk}"
    assert [turn["message"] for turn in client.get(path).json()][:2] == [
        "add buy milk tomorrow",
        "list",
    ]
    assert client.get("/api/chat/conversations").json()[0]["messages"] == 5
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_asks_which_one_is_meant(client: TestClient) -> None:
    for title in ("buy milk", "buy bread"):
        client.post("/api/todos", json={"title": title})
    assert "could be any" in text(say(client, "delete buy"))
    assert len(todos(client)) == 2


def only(client: TestClient, *titles: str) -> None:
    for title in titles:
        client.post("/api/todos", json={"title": title})


@pytest.mark.parametrize("message", ["delete it", "delete report", "remove write", "delete r"])
def test_deletes_nothing_that_was_not_named_in_full(client: TestClient, message: str) -> None:
    only(client, "Write report")
    assert "Deleted" not in text(say(client, message))
    assert [todo["title"] for todo in todos(client)] == ["Write report"]


@pytest.mark.parametrize("message", ["complete it", "complete rep", "it is done"])
def test_a_part_of_a_word_names_no_todo(client: TestClient, message: str) -> None:
    only(client, "Write report")
    say(client, message)
    assert not todos(client)[0]["done"]


@pytest.mark.parametrize(
    "message",
    [
        "what is done",
        "what is done?",
        "which todos are completed",
        "is find out what to buy done?",
        "find out what to buy is done?",
        "delete find out what to buy?",
        "why is find out what to buy done",
        "check if find out what to buy is done",
    ],
)
def test_a_question_changes_nothing(client: TestClient, message: str) -> None:
    only(client, "Find out what to buy")
    before = todos(client)
    assert {"type": "changed"} not in say(client, message)
    assert todos(client) == before


# Their titles have the words that a command would look for in the sentences below.
TRAPS = ["Find out so what", "Do nothing", "Buy milk", "Write a list", "Call both", "Meet the one"]
TRAPS += ["Ask the first one", "Check everything", "I think it is", "Tell me what", "Plan the task"]


@pytest.mark.parametrize(
    "message",
    [
        "tell me what is done",
        "tell me if milk is done",
        "can you tell me what is done",
        "so what is done",
        "and what is done",
        "Hmm, so what is done",
        "well, is milk done",
        "let me know whether milk is done",
        "i wonder if milk is done",
        "i'm wondering whether buy milk is done",
        "i want to know what is done",
        "i'd like to see what is done",
        "i don't know if milk is done",
        "not sure whether milk is done",
        "would it help if milk is done",
        "will buy milk be done",
        "isn't it clear that milk is done",
        "if milk is done",
        "when buy milk is done",
        "unless milk is done",
        "it helps if milk is done",
        "nothing is done",
        "everything is done",
        "is everything done",
        "not everything is done",
        "all is done",
        "no milk is done",
        "none is done",
        "i think it is done",
        "maybe buy milk is done",
        "I hope milk is done",
        "i don't think milk is done",
        "i have done nothing",
        "i finished everything",
        "i've done what i could",
        "done is better than nothing",
        "done yet",
        "both are done",
        "both is done",
        "complete both",
        "complete both of them",
        "complete the one",
        "complete the first one",
        "complete the last one",
        "complete all of them",
        "complete all todos",
        "complete nothing",
        "complete the list",
        "complete the task",
        "reopen the first one",
        "make both high priority",
        "move the one to friday",
        "delete the first one",
        "delete the list",
        "i must say buy milk is done",
        "i want to know more",
        "i want to see my todos",
        "remember what i said",
        "remember that",
    ],
)
def test_a_question_or_musing_changes_nothing(
    client: TestClient, server: External, settings: Settings, message: str
) -> None:
    user = client.get("/api/me").json()["id"]
    with server.connect(settings.database_name) as admin:
        # Some six hundred requests would take longer than all else here.
        for title in TRAPS:
            query = "INSERT INTO todos (user_id, id, title) VALUES (%s, gen_random_uuid(), %s)"
            admin.execute(query, [user, title])
    before = todos(client)
    assert len(before) == len(TRAPS)
    assert {"type": "changed"} not in say(client, message)
    assert todos(client) == before


def test_a_question_with_a_preface_is_answered(client: TestClient) -> None:
    only(client, "Buy milk")
    say(client, "complete buy milk")
    for message in ("tell me what is done", "so what is done", "i want to know what is done"):
        assert "“Buy milk” (done)" in text(say(client, message))


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("complete do nothing", "Do nothing"),
        ("complete find out so what", "Find out so what"),
        ("complete the first one to call", "The first one to call"),
        ("mark tell me what as done", "Tell me what"),
        ('"do nothing" is done', "Do nothing"),
        ("buy milk is done", "Buy milk"),
        ("the todo buy milk is done", "Buy milk"),
        ("check the task buy milk as done", "Buy milk"),
        ("could you complete buy milk?", "Buy milk"),
        ("i have finished buy milk", "Buy milk"),
        ("done: buy milk", "Buy milk"),
        ("complete both", "Both"),
        ("complete the list", "The list"),
    ],
)
def test_a_clear_command_is_carried_out(client: TestClient, message: str, title: str) -> None:
    only(client, title, "Something else")
    say(client, message)
    assert [todo["title"] for todo in todos(client) if todo["done"]] == [title]


@pytest.mark.parametrize(
    "message",
    ["add a shopping list", "create a message to Bob", "add the first draft", "add find out if"],
)
def test_adds_what_is_called_like_a_list(client: TestClient, message: str) -> None:
    say(client, message)
    assert [todo["title"] for todo in todos(client)] == [message.split(" ", 1)[1]]


@pytest.mark.parametrize(
    "message",
    [
        *("todo list", "my todo list", "todos", "new conversation", "new chat"),
        *("create a todo list", "create a list", "add a list", "add a conversation"),
        *("create a new list", "add another list", "create a list for the party", "add a todo"),
        *("create a new task", "add something", "add it", "please add one", "create an account"),
        *("add a chat about work", "can you create a list?"),
    ],
)
def test_adds_nothing_that_is_no_todo(client: TestClient, message: str) -> None:
    assert "Added" not in text(say(client, message))
    assert todos(client) == []


def test_the_exact_title_wins(client: TestClient) -> None:
    only(client, "Buy milk", "buy milk", "buy milk and bread")
    say(client, "delete buy milk")
    assert {todo["title"] for todo in todos(client)} == {"Buy milk", "buy milk and bread"}
    say(client, "delete BUY MILK")
    assert {todo["title"] for todo in todos(client)} == {"buy milk and bread"}


def test_another_message_with_an_id_in_use_is_not_swallowed(client: TestClient) -> None:
    own = str(uuid.uuid4())
    say(client, "add milk", id=own)
    answer = client.post("/api/chat", json={"message": "add bread", "id": own})
    assert answer.status_code == 409
    assert [todo["title"] for todo in todos(client)] == ["milk"]


def test_sending_again_acts_once(client: TestClient) -> None:
    own = {"id": str(uuid.uuid4()), "conversation_id": str(uuid.uuid4())}
    assert say(client, "add once", **own) == say(client, "add once", **own)
    assert len(todos(client)) == 1


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint: calls a tool, then reports its result."""

    broken = False
    instead: bytes | None = None
    """What it answers whatever it is asked."""
    requests: Events = []  # noqa: RUF012

    def do_POST(self) -> None:
        """Answers one completion."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.requests.append(body | {"authorization": self.headers["authorization"]})
        self.send_response(500 if self.broken else 200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if self.broken:
            return
        if self.instead is not None:
            self.wfile.write(b"data: %s\n\n" % self.instead)
            return
        last = body["messages"][-1]
        if last["role"] == "tool":
            deltas = [{"content": "Done: "}, {"content": last["content"]}]
        else:
            arguments = json.dumps({"title": "from the model", "priority": "high"})
            name = {"id": "1", "function": {"name": "add_todo", "arguments": arguments[:9]}}
            rest = {"function": {"arguments": arguments[9:]}}
            deltas = [{"tool_calls": [{"index": 0, **part}]} for part in (name, rest)]
        for delta in deltas:
            self.wfile.write(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Model]]:
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=endpoint.serve_forever, args=(0.01,)).start()
    key = settings.jwt_key_file.with_name("chat-api-key")
    key.write_text("sesame\n")
    monkeypatch.setenv("CHAT_BASE_URL", f"http://127.0.0.1:{endpoint.server_port}/v1")
    monkeypatch.setenv("CHAT_MODEL", "test")
    monkeypatch.setenv("CHAT_API_KEY_FILE", str(key))
    monkeypatch.setattr(Model, "requests", [])
    get_settings.cache_clear()
    yield Model
    endpoint.shutdown()
    endpoint.server_close()


def test_the_model_calls_tools(model: type[Model], client: TestClient) -> None:
    own = {"id": str(uuid.uuid4()), "conversation_id": str(uuid.uuid4())}
    events = say(client, "please note something", **own)
    assert events[0]["mode"] == "model"
    assert {"type": "changed"} in events
    assert text(events) == "Done: Added “from the model” (high priority)."
    assert text(say(client, "please note something", **own)) == text(events)
    assert [todo["title"] for todo in todos(client)] == ["from the model"]
    assert model.requests[0]["authorization"] == "Bearer sesame"


def test_falls_back_while_the_model_is_away(
    model: type[Model], client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "broken", True)
    events = say(client, "add by hand")
    assert events[0]["mode"] == "parser"
    assert "language model is not available" in text(events)
    assert [todo["title"] for todo in todos(client)] == ["by hand"]


@pytest.mark.parametrize(
    "answer", [b'["overloaded"]', b'"overloaded"', b'{"choices": ["overloaded"]}', b"overloaded"]
)
def test_falls_back_when_the_model_answers_with_something_else(
    model: type[Model], client: TestClient, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(model, "instead", answer)
    events = say(client, "add by hand")
    assert events[0]["mode"] == "parser"
    assert events[-1] == {"type": "end"}
    assert [todo["title"] for todo in todos(client)] == ["by hand"]
