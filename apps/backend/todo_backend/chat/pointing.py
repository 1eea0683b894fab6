"""Words that name no todo, but point to one said before, to several, or to something else."""

import re

_BEFORE = r"""
    a|an|the|my|our|your|its|all|both|each|every|any|some|of|new|another|other|same|open|done|first
    |second|third|last|next|previous|latest|newest|oldest|this|that|these|those|two|three|to-?do|task|chat
"""
_WORDS = rf"""
    (?:(?:{_BEFORE})\s+)*
    (?:it|this|that|them|these|those|ones?|both|all|each|none|nothing|everything|anything|something
    |two|three|another|others?|more|first|second|third|last|next|the\s+rest
    |to-?dos?|tasks?|items?|reminders?|lists?|conversations?|chats?|messages?|accounts?)
    [\s.!?]*
"""
_POINTING = re.compile(_WORDS, re.IGNORECASE | re.VERBOSE)


def points(title: str) -> bool:
    """Tells whether these words only point: "it", "the first one", "a new list"."""
    return _POINTING.fullmatch(title.strip()) is not None
