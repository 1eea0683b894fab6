"""The built-in, deterministic understanding of chat messages (used without a language model)."""

import re
from datetime import date, timedelta

from ..models import PRIORITIES, Priority
from . import questions
from .dates import split_due
from .intents import AddTodo, ChangeTodo, DeleteTodo, Intent, ListTodos
from .pointing import points

HELP = (
    "Try one of these:\n"
    "• add buy milk tomorrow\n"
    "• add pay the rent by 2026-01-31 high priority\n"
    "• list · list done · list today · list high priority\n"
    "• complete buy milk · reopen buy milk\n"
    "• move buy milk to friday\n"
    "• make buy milk high priority\n"
    "• delete buy milk"
)

# Titles have at most 500 characters, so no command is longer than this.
_LONGEST = 700
_ROUNDS = 5  # "hello, could you please …": nobody is more polite

# Every pattern takes time in proportion to the text: where a run such as [\s,]+ is searched for, it
# may begin only where no such run is under way.
_POLITE = re.compile(
    r"^(?:please|hey|hi|hello|ok|(?P<asked>(?:can|could|would) you(?: please)?))[\s,!]+"
    r"|(?<![\s,])[\s,]+please[.!?]*$",
    re.IGNORECASE,
)
_THING = r"(?:(?:a|an|the|my|new|another)\s+)*(?:todos?|tasks?|items?|reminders?)"
_ADD = re.compile(
    rf"^(?:(?:(?:add|create|remember|note)\b:?(?:\s+{_THING}\b)?|new\s+{_THING}\b|todo\b)"
    r"(?:\s+to(?=\s)|:)?"
    r"|remind me to|(?:i (?:need|have|want) to|i must)(?!\s+(?:know|say|admit|confess|wonder)\b)"
    r"|don't forget to)\s+(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
# "todo list", "my tasks": the list itself, not something to put on it.
_THE_LIST = re.compile(
    r"^(?:(?:the|my|all|open|to-?do|task)\s+)*(?:to-?dos?|tasks?|lists?)(?=\s*[.!?]*$|\s+list\b)"
    r"(?:\s+list\b)?(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
# "create a list for the party", "remember what I said": for this there is no command.
_NOT_TO_ADD = re.compile(
    r"^(?:create|add|new)\s+(?:(?:a|an|the|my|new|another|to-?do|task)\s+)*(?:list|conversation|chat)"
    rf"\s+(?:for|of|called|named|with|about)\b|^(?:remember|note)\s+{questions.ASKING}\b",
    re.IGNORECASE,
)
_TO_MY_LIST = re.compile(r"\s+(?:to|on) (?:my|the) (?:to-?do |task )?list[.!]*$", re.IGNORECASE)
_LIST = re.compile(
    r"^(?:list|show|display|view|what(?:'s| is| are| do i have)?|which)\b(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_DELETE = re.compile(r"^(?:delete|remove|erase|drop|cancel)\s+(?P<rest>.+)$", re.I | re.S)
_DONE = (
    re.compile(
        r"^(?:mark|set|check)\s+(?P<rest>.+?)\s+(?:as\s+|off\s*)?(?:done|completed?|finished)[.!]*$",
        re.I | re.S,
    ),
    re.compile(
        r"^(?:complete|finish|check off|tick(?: off)?"
        r"|done(?: with)?:?(?!\s+(?:is|are|was|yet|already|for|or|and|but|by|when|if)\b))"
        r"\s+(?P<rest>.+)$",
        re.I | re.S,
    ),
)
# No command, but news; a question or a musing must not be taken for it.
_NEWS_OF_DONE = (
    re.compile(
        r"^i(?:'ve| have)?\s+(?:just\s+)?(?:done|completed|finished)\s+(?P<rest>.+)$", re.I | re.S
    ),
    re.compile(r"^(?P<rest>.+?)\s+is\s+(?:done|completed?|finished)[.!]*$", re.I | re.S),
)
_REOPEN = (
    re.compile(r"^(?:reopen|uncheck|untick|undo)\s+(?P<rest>.+)$", re.I | re.S),
    re.compile(
        r"^(?:mark|set)\s+(?P<rest>.+?)\s+(?:as\s+)?(?:open|undone|not done|unfinished)[.!]*$",
        re.I | re.S,
    ),
)
_PRIORITY_CHANGE = (
    re.compile(
        r"^(?:make|set|give|mark)\s+(?P<rest>.+?)\s+(?:to\s+|as\s+)?(?P<priority>low|normal|high)(?:\s+priority)?[.!]*$",
        re.I | re.S,
    ),
    re.compile(
        r"^set (?:the )?priority (?:of|for) (?P<rest>.+?) to (?P<priority>low|normal|high)[.!]*$",
        re.I | re.S,
    ),
)
_DUE_CHANGE = re.compile(
    r"^(?:move|postpone|reschedule|change|delay|set(?: the)? due(?: date)?(?: of| for)?|set)\s+"
    r"(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_PRIORITY_AT_END = re.compile(
    r"(?<![\s,])[\s,]+(?:with\s+|at\s+)?(?:(?P<level>low|normal|high)[\s-]+priority|!(?P<short>low|normal|high)"
    r"|priority[:\s]+(?P<after>low|normal|high))[\s.!]*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^[\"“'‘](?P<title>.+)[\"”'’]$", re.DOTALL)  # noqa: RUF001


class NotUnderstoodError(Exception):
    """The message is no known command; the argument is what to answer."""


def parse(message: str, today: date) -> Intent:
    """Returns what the message asks for."""
    # Long runs of white space mean nothing in a command.
    text = re.sub(r"\s{9,}", " ", message.strip())
    if len(text) > _LONGEST:
        raise NotUnderstoodError(
            f"That is longer than I understand; please use at most {_LONGEST} characters."
        )
    return understand(text, today)


def understand(text: str, today: date) -> Intent:
    """Returns what a text asks for, in time that is proportional to its length."""
    asked = False  # "could you …?" is a request, not a question
    for _ in range(_ROUNDS):
        match = _POLITE.search(text)
        if match is None:
            break
        asked = asked or match["asked"] is not None
        text = (text[: match.start()] + text[match.end() :]).strip()
    try:
        intent = _parse(text, today, asked)
    except (ValueError, OverflowError):
        raise NotUnderstoodError("I cannot make sense of that date or title.") from None
    if intent is None:
        raise NotUnderstoodError(
            HELP if _asks_for_help(text) else f"I did not understand that.\n{HELP}"
        )
    return intent


def _asks_for_help(text: str) -> bool:
    return text.lower().rstrip("?!. ") in ("", "help", "what can you do", "how does this work")


def _parse(text: str, today: date, asked: bool) -> Intent | None:
    if _asks_for_help(text):
        return None
    if match := _THE_LIST.match(text):
        return _list(f"todos {match['rest']}", today)
    if (question := questions.after_preface(text)) is not None:
        return _parse(question, today, asked=False)
    if questions.asks(text) or (text.endswith("?") and not asked and not _ADD.match(text)):
        match = _LIST.match(text)
        return _list(match["rest"], today) if match else None
    return _command(text.rstrip("?") if asked else text, today)


def _command(text: str, today: date) -> Intent | None:
    if match := _ADD.match(text):
        if points(match["rest"]) or _NOT_TO_ADD.match(text):
            return None
        return _add(match["rest"], today)
    for pattern in _REOPEN:
        if match := pattern.match(text):
            return ChangeTodo(title=_title(match["rest"]), done=False)
    for pattern in _DONE:
        if match := pattern.match(text):
            return ChangeTodo(title=_title(match["rest"]), done=True)
    for pattern in _NEWS_OF_DONE:
        if match := pattern.match(text):
            return _news_of_done(match["rest"])
    for pattern in reversed(_PRIORITY_CHANGE):
        if match := pattern.match(text):
            return ChangeTodo(title=_title(match["rest"]), priority=_level(match["priority"]))
    if match := _DELETE.match(text):
        return DeleteTodo(title=_title(match["rest"]))
    if match := _DUE_CHANGE.match(text):
        title, due = split_due(match["rest"], today)
        title = re.sub(r"\s+(?:to|due|until|till)$", "", title, flags=re.IGNORECASE)
        return ChangeTodo(title=_title(title), due_date=due) if due else None
    if match := _LIST.match(text):
        return _list(match["rest"], today)
    return None


def _news_of_done(rest: str) -> ChangeTodo | None:
    title = _title(rest)
    if not _QUOTED.match(rest.strip()) and not questions.states(title):
        return None
    return ChangeTodo(title=title, done=True)


def _level(text: str) -> Priority:
    return PRIORITIES[PRIORITIES.index(text.lower())]


def _title(text: str) -> str:
    """Returns the title meant: quotes and a leading "the todo" do not belong to it."""
    text = re.sub(rf"^{_THING}\s+(?=\S)", "", text.strip(), flags=re.IGNORECASE)
    quoted = _QUOTED.match(text)
    return quoted["title"] if quoted else text


def _add(rest: str, today: date) -> AddTodo:
    """Takes the due date and the priority, in either order, off the end of the title."""
    title, due, priority = _TO_MY_LIST.sub("", rest).strip(), None, None
    while not _QUOTED.match(title):
        before = title
        if due is None:
            title, due = split_due(title, today)
            title = title if due is None else title.rstrip(", ")
        if priority is None and (match := _PRIORITY_AT_END.search(title)):
            title = title[: match.start()]
            priority = _level(match["level"] or match["short"] or match["after"])
        if title == before or not title.strip():
            break
    if not title.strip():  # "add tomorrow": then that is the title
        title, due = rest, None
    return AddTodo(title=_unquoted(title), due_date=due, priority=priority or "normal")


def _unquoted(title: str) -> str:
    quoted = _QUOTED.match(title.strip())
    return quoted["title"] if quoted else title.strip()


def _list(rest: str, today: date) -> ListTodos | None:
    words = set(re.findall(r"[a-z]+", rest.lower()))
    known = {"today", "overdue", "done", "completed", "finished", "open", "all", "everything"}
    about = re.search(r"\b(?:about|containing|matching|with)\s+(?P<what>\S.*)$", rest, re.I | re.S)
    what = about["what"].rstrip("?.! ") if about else ""
    priority = next((level for level in PRIORITIES if level in words), None)
    if not (
        words <= {"me", "my", "the"}
        or what
        or words & (known | {"todo", "todos", "task", "tasks", "list", "due", "priority"})
    ):
        return None
    _, due = split_due(rest.rstrip("?.! "), today)
    return ListTodos(
        search=_unquoted(what) if what else None,
        done=True
        if words & {"done", "completed", "finished"}
        else None
        if words & {"all", "everything"}
        else False,
        due_before=_until(words, due, today),
        priority=priority,
    )


def _until(words: set[str], due: date | None, today: date) -> date | None:
    """Returns the last due date to list, or None for no limit."""
    if "overdue" in words:
        return today - timedelta(days=1)
    return today if "due" in words and due is None else due
