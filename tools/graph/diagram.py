"""What a picture of a stack consists of, before it is laid out."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One thing with a name."""

    id: str
    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class Pile:
    """Cards on top of each other: what comes in at the first goes on to the last."""

    cards: tuple[Card, ...]

    @property
    def id(self) -> str:
        """The id of the card that all others lead to."""
        return self.cards[-1].id


@dataclass(frozen=True)
class Box:
    """A component or a namespace, with what is in it."""

    kind: str
    name: str
    layer: str
    """Which part of the application it is: frontend, backend, database, or none of them."""
    members: tuple["Box | Pile", ...]
    rest: tuple[str, ...] = ()
    """Objects that are only listed."""

    @property
    def id(self) -> str:
        """Kind and name."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Arrow:
    """From one card to another."""

    tail: str
    head: str
    label: str = ""
    traffic: bool = True
    """Whether connections go this way; otherwise the tail uses the head."""


@dataclass(frozen=True)
class Diagram:
    """A whole picture."""

    title: str
    outside: tuple[Card, ...]
    members: tuple[Box | Pile, ...]
    arrows: tuple[Arrow, ...]

    def piles(self) -> Iterator[tuple[str, Pile]]:
        """Every pile, with the id of the box it is in."""
        for card in self.outside:
            yield "", Pile((card,))
        yield from _piles("", self.members)


def _piles(box: str, members: tuple[Box | Pile, ...]) -> Iterator[tuple[str, Pile]]:
    for member in members:
        if isinstance(member, Pile):
            yield box, member
        else:
            yield from _piles(member.id, member.members)
