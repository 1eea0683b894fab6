"""Lays a diagram out with Graphviz: text in the DOT language, and the command `dot`."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from console.failure import Failure
from tools.graph.diagram import Arrow, Box, Card, Diagram, Pile

_FONT = "Helvetica,Arial,sans-serif"
_INK, _GREY, _PALE = "#1f2328", "#57606a", "#8c959f"
_LAYERS = {
    "frontend": ("#4f46e5", "#eef2ff"),
    "backend": ("#0f766e", "#ecfdf5"),
    "database": ("#b45309", "#fffbeb"),
}
_NO_LAYER = ("#57606a", "#f6f8fa")
_HEAD = f"""\
rankdir=LR; bgcolor="#ffffff"; pad=0.1; nodesep=0.2; ranksep=0.25;
graph [fontname="{_FONT}", fontsize=13, labeljust=l];
node [fontname="{_FONT}", fontsize=14, fontcolor="{_INK}", shape=plain];
edge [fontname="{_FONT}", fontsize=13, fontcolor="{_INK}", arrowsize=0.7];"""


@dataclass(frozen=True)
class _Place:
    box: str
    port: str


def dot_text(diagram: Diagram) -> str:
    """Returns a diagram in the DOT language."""
    places = {
        card.id: _Place(box, f"{_quoted(pile.id)}:c{number}")
        for box, pile in diagram.piles()
        for number, card in enumerate(pile.cards)
    }
    lines = [
        f"digraph {_quoted(diagram.title)} {{",
        _HEAD,
        *(_pile(Pile((card,)), _GREY) for card in diagram.outside),
        *_members(diagram.members, _NO_LAYER),
        *(_arrow(arrow, places) for arrow in diagram.arrows),
        "}",
    ]
    return "\n".join(lines) + "\n"


def render(text: str, kind: str) -> bytes:
    """Returns the picture of a text in the DOT language.

    Args:
        text: The text.
        kind: What Graphviz shall make of it: svg, png, pdf.

    Raises:
        Failure: Graphviz is not installed, or cannot make that.
    """
    try:
        done = subprocess.run(  # noqa: S603
            ["dot", f"-T{kind}"],  # noqa: S607
            input=text.encode(),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise Failure(
            "The command dot is not found; install Graphviz (apt install graphviz, brew install "
            "graphviz), or write its input with --out architecture.dot."
        ) from None
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[
            0
        ]
        raise Failure(f"Graphviz failed: {reason.rstrip('.')}; install a newer one and run again.")
    return done.stdout


def _members(members: Iterable[Box | Pile], colours: tuple[str, str]) -> list[str]:
    return [
        _box(member) if isinstance(member, Box) else _pile(member, colours[0]) for member in members
    ]


def _box(box: Box) -> str:
    line, fill = _LAYERS.get(box.layer, _NO_LAYER)
    if box.kind == "Namespace":
        fill = "#ffffff"
    rest = _small(*box.rest) if box.rest else ""
    return "\n".join(
        [
            f"subgraph {_quoted(f'cluster {box.id}')} {{",
            f'style="rounded,filled"; color="{line}"; fillcolor="{fill}"; margin=8;',
            f'label=<<B>{escape(box.kind)} {escape(box.name)}</B>>; fontcolor="{line}";',
            *_members(box.members, (line, fill)),
            *([f"{_quoted(f'{box.id} rest')} [label=<{rest}>];"] if rest else []),
            "}",
        ]
    )


def _pile(pile: Pile, line: str) -> str:
    rows = [
        f"<TR><TD>{_card(card, number, line)}</TD></TR>" for number, card in enumerate(pile.cards)
    ]
    between = f'<TR><TD><FONT POINT-SIZE="9" COLOR="{line}">▼</FONT></TD></TR>'
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
    return f"{_quoted(pile.id)} [label=<{table}{between.join(rows)}</TABLE>>];"


def _card(card: Card, number: int, line: str) -> str:
    texts = [
        _small(card.kind) if card.kind else "",
        f"<B>{escape(card.name)}</B>",
        _small(card.detail) if card.detail else "",
    ]
    text = "<BR/>".join(text for text in texts if text)
    width = 90 if card.kind else 50
    return (
        f'<TABLE PORT="c{number}" STYLE="ROUNDED" BORDER="1" COLOR="{line}" BGCOLOR="#ffffff" '
        f'CELLBORDER="0" CELLSPACING="0" CELLPADDING="7">'
        f'<TR><TD WIDTH="{width}">{text}</TD></TR></TABLE>'
    )


def _small(*lines: str) -> str:
    text = "<BR/>".join(escape(line) for line in lines)
    return f'<FONT POINT-SIZE="12" COLOR="{_GREY}">{text}</FONT>'


def _arrow(arrow: Arrow, places: dict[str, _Place]) -> str:
    tail, head = places[arrow.tail], places[arrow.head]
    look = f'color="{_INK}"' if arrow.traffic else f'color="{_PALE}", style=dashed'
    if arrow.label:
        look += f", label={_quoted(f' {arrow.label} ')}"
    if arrow.traffic and tail.box and tail.box == head.box:
        # Within a component traffic goes up and down; the column of a card is its tier.
        return f"{tail.port}:w -> {head.port}:w [{look}, constraint=false];"
    return f"{tail.port}:e -> {head.port}:w [{look}, weight={3 if arrow.traffic else 1}];"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
