"""What of the settings is left for set-up to find out."""


def is_left_open(key: object, value: object) -> bool:
    """Tells whether a setting is for set-up to find out: not given, or `provider: auto`."""
    return value is None or (key == "provider" and value == "auto")
