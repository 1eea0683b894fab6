"""What a chat message can ask for, whoever understood it (the parser or a language model)."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from ..fields import FilledText, Title
from ..models import Priority


class AddTodo(BaseModel):
    """Add a todo to the user's list."""

    title: Title
    due_date: date | None = None
    priority: Priority = "normal"


class ListTodos(BaseModel):
    """List the user's todos; without arguments, the open ones."""

    search: FilledText | None = None
    done: bool | None = False
    due_before: Annotated[date | None, Field(description="due on this day or earlier")] = None
    priority: Priority | None = None


class ChangeTodo(BaseModel):
    """Complete or reopen a todo, or change its due date or priority."""

    title: Annotated[Title, Field(description="the todo's title or some words of it")]
    done: bool | None = None
    due_date: date | None = None
    priority: Priority | None = None


class DeleteTodo(BaseModel):
    """Delete a todo."""

    title: Annotated[Title, Field(description="the todo's title or some words of it")]


Intent = AddTodo | ListTodos | ChangeTodo | DeleteTodo
