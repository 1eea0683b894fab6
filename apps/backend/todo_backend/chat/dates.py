"""Finds a due date such as "today", "friday", "in 3 days" or "2026-01-31" in a text."""

import re
from datetime import date, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WHEN = rf"""
    (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
  | (?P<near>today|tonight|tomorrow|day\ after\ tomorrow|next\ week)
  | (?:next\s+|this\s+)?(?P<weekday>{"|".join(_WEEKDAYS)})
  | in\s+(?P<number>\d{{1,3}}|a|an|one|two|three)\s+(?P<unit>day|week)s?
"""
_LEAD = r"(?:due\s+(?:on\s+|by\s+)?|by\s+|on\s+|until\s+|for\s+)?(?:the\s+)?"
_AT_END = re.compile(rf"(?:^|\s+){_LEAD}(?:{_WHEN})[\s.!?]*$", re.IGNORECASE | re.VERBOSE)
_NEAR = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "next week": 7}
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}


def split_due(text: str, today: date) -> tuple[str, date | None]:
    """Returns the text without a trailing due date, and that date.

    A weekday is the next such day after today. ValueError tells of an impossible date.
    """
    match = _AT_END.search(text)
    if match is None:
        return text, None
    return text[: match.start()], _resolve(match, today)


def _resolve(match: re.Match[str], today: date) -> date:
    if match["iso"]:
        return date.fromisoformat(match["iso"])
    if match["near"]:
        return today + timedelta(days=_NEAR[match["near"].lower()])
    if match["weekday"]:
        ahead = _WEEKDAYS.index(match["weekday"].lower()) - today.weekday()
        return today + timedelta(days=ahead % 7 or 7)
    number = match["number"].lower()
    count = _NUMBERS.get(number) or int(number)
    return today + timedelta(days=count * (7 if match["unit"].lower() == "week" else 1))
