"""What ends a demo or a stack for a cause that a person can mend."""


class DemoError(Exception):
    """The message is one line: what is wrong, and what to do."""
