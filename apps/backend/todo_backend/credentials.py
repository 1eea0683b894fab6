"""What people sign in with, in one form, however their keyboard composes it."""

import re
import unicodedata

# Unicode 17, DerivedCoreProperties.txt, Default_Ignorable_Code_Point: letters and marks that are
# not drawn, besides the control and format characters, which have a category of their own.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def address(email: str) -> str:
    """Returns an e-mail address in the one form that accounts are found by."""
    folded = unicodedata.normalize("NFC", email.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def stored_forms(email: str) -> list[str]:
    """Returns how the account of an e-mail address may be stored, most likely first.

    Earlier releases stored addresses in lower case as they were typed, so composed, decomposed or
    otherwise; whoever signed up then can still sign in.
    """
    typed = email.strip().lower()
    return list(dict.fromkeys([address(email), typed, unicodedata.normalize("NFD", typed)]))


def checked_shape(email: str) -> str:
    """Refuses what is no e-mail address; only its rough shape is checked."""
    name, _, domain = address(email).rpartition("@")
    if not name or "." not in domain.strip(".") or any(c.isspace() for c in email.strip()):
        raise ValueError("must be an e-mail address")
    return email


def checked_visible(email: str) -> str:
    """Refuses characters nobody sees: two addresses that look alike must not be two accounts."""
    unseen = any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn") for c in email.strip())
    if unseen or _IGNORABLE.search(email):
        raise ValueError("must not contain invisible characters")
    return email


def password_forms(password: str) -> list[str]:
    """Returns a password as it is hashed now (NFKC), followed by how it may have been before.

    NIST SP 800-63B 5.1.1.2 asks for NFKC or NFKD, so that a login does not fail by keyboard;
    earlier releases hashed passwords as they were sent.
    """
    forms = [unicodedata.normalize(form, password) for form in ("NFKC", "NFC")]
    return list(dict.fromkeys([forms[0], password, forms[1]]))
