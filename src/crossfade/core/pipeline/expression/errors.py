"""Why an expression is invalid; every such expression counts as false."""


class ExpressionError(Exception):
    """
    Raised inside of the language only; `evaluate` turns it into a value.

    The messages are the ones that users of Codefresh know and search for.
    """
