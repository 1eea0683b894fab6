"""Tells questions and musings from commands and news: only the latter may change anything."""

import re

ASKING = r"(?:what|which|who|whose|whom|when|where|why|how|if|whether)"
_NT = r"n['\u2019]t"  # phones write an apostrophe of their own
_AM = r"(?: am|['\u2019]m| was)"
_QUESTION = (
    rf"(?:{ASKING}|(?:is|are|was|were|do|does|did|has|had|have|can|could|would|should|wo){_NT}"
    r"|is|are|was|were|am|do|does|did|have (?:i|you|we|they)|has|had|shall|should|may|might|must i"
    r"|can|could|would|will)\b"
)
_ASKS = re.compile(_QUESTION, re.IGNORECASE)
_PREFACE = re.compile(
    r"(?:(?:and|so|but|or|well|h+m+|u[hm]+|oh|ah|now|then|also|anyway|actually|just"
    r"|tell me|let me know|remind me|say|explain|check|see|find out|guess"
    rf"|i{_AM}? wonder(?:ing)?|i (?:want|need|have|would like) to (?:know|see|ask|hear)"
    rf"|i['\u2019]d like to (?:know|see|ask|hear)|i (?:do not|do{_NT}) know"
    rf"|(?:i{_AM} )?not sure|no idea|do you know)[\s,:.…]+)+"
    rf"(?={_QUESTION}"
    r"|(?:(?:my|the|all|open) )*(?:to-?dos?|tasks?|(?:to-?do |task )?lists?)[.!?]*$)",
    re.IGNORECASE,
)
# With one of these a sentence about what is done says something else: "nothing is done".
_NO_STATEMENT = re.compile(
    rf"\b(?:{ASKING}|unless|until|once|whatever|whichever|whoever|nothing|none|nobody|everything"
    rf"|everyone|anything|something|all|no|not|never|hardly|barely|[a-z]+{_NT}|maybe|perhaps"
    r"|probably|possibly|supposedly|i (?:\w+ )?(?:think|guess|believe|hope|wish|suppose|suspect"
    r"|doubt|know|see|imagine|dreamt|heard|say|said|thought)|would|could|should|might|wonder"
    r"|suppose|imagine|pretend|assume|assuming|tell me|much|half|most|enough)\b",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Tells whether this begins like a question, however much like a command it goes on."""
    return _ASKS.match(text) is not None


def after_preface(text: str) -> str | None:
    """Returns the question after words that only lead to it ("tell me …"), None without one."""
    match = _PREFACE.match(text)
    return None if match is None else text[match.end() :]


def states(what: str) -> bool:
    """Tells whether "… is done" about this is news, no doubt, wish, condition or the contrary."""
    return _NO_STATEMENT.search(what) is None
