"""The built-in understanding of chat messages."""

import contextlib
import subprocess
import sys
import time
from datetime import date

import pytest

from todo_backend.chat.intents import AddTodo, ChangeTodo, DeleteTodo, Intent, ListTodos
from todo_backend.chat.parser import NotUnderstoodError, parse

TODAY = date(2026, 1, 28)  # a Wednesday
FRIDAY = date(2026, 1, 30)
TOMORROW = date(2026, 1, 29)


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("add buy milk", AddTodo(title="buy milk")),
        ("Add buy milk tomorrow", AddTodo(title="buy milk", due_date=TOMORROW)),
        ("please add a todo: call Bob by friday!", AddTodo(title="call Bob", due_date=FRIDAY)),
        ("add a task to call Bob on Friday", AddTodo(title="call Bob", due_date=FRIDAY)),
        ("remind me to pay 2026-01-31", AddTodo(title="pay", due_date=date(2026, 1, 31))),
        ("I need to buy milk in 3 days", AddTodo(title="buy milk", due_date=date(2026, 1, 31))),
        (
            "new todo water plants next week",
            AddTodo(title="water plants", due_date=date(2026, 2, 4)),
        ),
        ("add rest wednesday", AddTodo(title="rest", due_date=date(2026, 2, 4))),
        ("could you please add bread to my list", AddTodo(title="bread")),
        (
            "add pay rent tomorrow high priority",
            AddTodo(title="pay rent", due_date=TOMORROW, priority="high"),
        ),
        (
            "add pay rent, low priority, today",
            AddTodo(title="pay rent", due_date=TODAY, priority="low"),
        ),
        ('add "call me tomorrow" friday', AddTodo(title="call me tomorrow", due_date=FRIDAY)),
        ("add tomorrow", AddTodo(title="tomorrow")),
        ("note: what to buy", AddTodo(title="what to buy")),
        ("add 🥛 <b>שלום</b> '; DROP--", AddTodo(title="🥛 <b>שלום</b> '; DROP--")),
        ("list", ListTodos()),
        ("show me my todos", ListTodos()),
        ("what do I have today?", ListTodos(due_before=TODAY)),
        ("what is due tomorrow?", ListTodos(due_before=TOMORROW)),
        ("what's overdue", ListTodos(due_before=date(2026, 1, 27))),
        ("list done todos", ListTodos(done=True)),
        ("show all", ListTodos(done=None)),
        ("list high priority", ListTodos(priority="high")),
        ("list todos about milk", ListTodos(search="milk")),
        ("complete buy milk", ChangeTodo(title="buy milk", done=True)),
        ("mark buy milk as done", ChangeTodo(title="buy milk", done=True)),
        ("Buy milk is done!", ChangeTodo(title="Buy milk", done=True)),
        ("I've finished the report", ChangeTodo(title="the report", done=True)),
        ("reopen buy milk", ChangeTodo(title="buy milk", done=False)),
        ("mark buy milk as not done", ChangeTodo(title="buy milk", done=False)),
        ("make buy milk high priority", ChangeTodo(title="buy milk", priority="high")),
        ("set the priority of milk to low", ChangeTodo(title="milk", priority="low")),
        ("move buy milk to friday", ChangeTodo(title="buy milk", due_date=FRIDAY)),
        ("set due date of milk to tomorrow", ChangeTodo(title="milk", due_date=TOMORROW)),
        ("delete the todo buy milk", DeleteTodo(title="buy milk")),
        ('remove "the todo"', DeleteTodo(title="the todo")),
    ],
)
def test_understands(message: str, intent: Intent) -> None:
    assert parse(message, TODAY) == intent


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("help", "Try one of these"),
        ("tell me a joke", "I did not understand"),
        ("show me the weather", "I did not understand"),
        ("add pay on 2026-02-30", "cannot make sense"),
        ("add " + "x" * 501, "cannot make sense"),
        ("move milk to", "I did not understand"),
    ],
)
def test_says_what_it_does_not_understand(message: str, answer: str) -> None:
    with pytest.raises(NotUnderstoodError, match=answer):
        parse(message, TODAY)


def test_dates_at_the_end_of_the_calendar() -> None:
    with pytest.raises(NotUnderstoodError, match="cannot make sense"):
        parse("add party tomorrow", date.max)


def test_a_message_longer_than_any_command_is_not_looked_at() -> None:
    with pytest.raises(NotUnderstoodError, match="longer than I understand"):
        parse("add " + "milk, " * 300, TODAY)


HOSTILE = """
import contextlib, datetime
from todo_backend.chat.parser import NotUnderstoodError, understand
for text in (
    "hi " * 222 + "x" + "," * 300_000 + "x",
    "add " + "," * 300_000 + "x",
    "add " + ", low-" * 60_000 + "x",
    "add x " + "priority " * 40_000 + "x",
    "list with " + "?" * 300_000 + "\\n" + "with " * 60_000 + "x",
    "mark " + "done... " * 40_000 + "x",
    "add " + "by the next monday " * 20_000 + "x",
    "set " + "to high priority " * 20_000 + "x",
    "please " * 40_000,
    "a the my " * 40_000 + "x",
    "so " * 100_000 + "x",
    "so" + "," * 300_000 + "x",
    "hm" + "h" * 300_000 + "x",
    "i wonder " * 40_000 + "x",
    "i wwwwwwww " * 30_000 + "is done",
    "a" * 300_000 + " is done",
    "add " + "the first " * 30_000 + "x",
):
    with contextlib.suppress(NotUnderstoodError):
        understand(text, datetime.date(2026, 1, 28))
"""


def test_no_text_makes_a_pattern_slow() -> None:
    # Hundreds of thousands of characters: steps that grow with their square take hours.
    subprocess.run([sys.executable, "-c", HOSTILE], check=True, timeout=300)


@pytest.mark.parametrize("filler", [" ", "please ", " is ", " by ", "the ", "a todo ", "“", "to "])
def test_long_messages_take_no_long_time(filler: str) -> None:
    for start in ("add x", "set x", "list x", "mark x", ""):
        message = (start + filler * 2000)[:1990] + " y"
        begun = time.thread_time()  # what else the machine does takes none of it
        with contextlib.suppress(NotUnderstoodError):
            parse(message, TODAY)
        assert time.thread_time() - begun < 1
