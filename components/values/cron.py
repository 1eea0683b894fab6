"""Cron lines as Kubernetes reads them: github.com/robfig/cron/v3, ParseStandard."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

_EVERY = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/([1-9][0-9]?))?")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def numbers(self, text: str) -> set[int]:
        """Returns the numbers that a field stands for."""
        return {number for part in text.split(",") for number in self._part(part)}

    def _part(self, text: str) -> range:
        match = _PART.fullmatch(text)
        if match is None:
            raise ValueError(f"expected a cron line; the {self.name} field has {text!r}")
        bounds, step = match.group(1), match.group(2)
        first, _, last = (f"{self.low}-{self.high}" if bounds == "*" else bounds).partition("-")
        start = self._number(first)
        # A number with a step but no end goes on to the end of the field.
        end = self._number(last) if last else self.high if step else start
        if start > end:
            raise ValueError(
                f"expected a cron line whose {self.name} ranges go upwards, not {bounds!r}; "
                "write two of them, with a comma between"
            )
        return range(start, end + 1, int(step or 1))

    def _number(self, text: str) -> int:
        names = {name: number for number, name in enumerate(self.names, self.low)}
        number = int(text) if text.isdecimal() else names.get(text.upper(), -1)
        if not self.low <= number <= self.high:
            hint = " (Sunday is 0)" if self.names and self.high == 6 else ""
            raise ValueError(
                f"expected a cron line whose {self.name} is {self.low}-{self.high}{hint}, "
                f"not {text!r}"
            )
        return number


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day of week", 0, 6, tuple(_DAYS)),
)


def _cron(value: str) -> str:
    if value in _EVERY:
        return value
    texts = value.split(" ")
    if len(texts) != len(_FIELDS):
        raise ValueError('expected five cron fields such as "17 3 * * *", or @daily')
    numbers = [field.numbers(text) for field, text in zip(_FIELDS, texts, strict=True)]
    days, months, any_weekday = numbers[2], numbers[3], texts[4].startswith("*")
    if any_weekday and all(min(days) > _LONGEST_MONTHS[month - 1] for month in months):
        raise ValueError("expected a cron line with a day that exists; these months are too short")
    return value


CronSchedule = Annotated[str, AfterValidator(_cron)]
