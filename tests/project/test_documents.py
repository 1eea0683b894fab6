"""Documents name what is there."""

import re
from pathlib import Path

import pytest

from tests.recording import ROOT

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
FOLDERS = sorted(it.name for it in ROOT.iterdir() if it.is_dir() and not it.name.startswith("."))
_PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
# What it maps from is another repository's.
_FORMER = re.compile(r"^\| `[^|]*\|", re.MULTILINE)


def _name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_paths_lead_to_files(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    if document.name == "phase-iv.md":
        text = _FORMER.sub("", text)
    missing = [it for it in _PATH.findall(text) if not any(ROOT.glob(it.rstrip("/")))]
    missing += [it for it in _LINK.findall(text) if not (document.parent / it).exists()]
    assert not missing


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda it: it.stem)
def test_every_decision_has_its_number_a_status_and_a_date(decision: Path) -> None:
    title, _, status = decision.read_text(encoding="utf-8").splitlines()[:3]
    assert title.startswith(f"# {int(decision.name[:4])}. ")
    assert re.fullmatch(
        r"Status: (accepted|superseded by \[\d+\]\(\d{4}-[\w-]+\.md\)), \d{4}-\d\d-\d\d", status
    )


def test_the_index_has_every_decision_by_its_title() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for decision in DECISIONS:
        title = decision.read_text(encoding="utf-8").splitlines()[0].split(". ", 1)[1]
        assert f"[{title}]({decision.name})" in index
