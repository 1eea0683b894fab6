"""What the system refuses a command, such as room on a disk, in one sentence."""

import errno


def sentence(error: OSError) -> str:
    """Returns what the system refused, and what to do.

    Args:
        error: Its refusal.
    """
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            remedy = "make room there"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            remedy = "let your user read and write there (what `sudo make` has made is root's)"
        case _:
            remedy = "mend that"
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}; {remedy} and run the same command again."
