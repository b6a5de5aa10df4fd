"""What share of errors a metric of somebody else allows, where that can be told."""

from crossfade.adapters.importers.objects import Content, text
from crossfade.core.analysis.expression_syntax import Binary, Literal, Member, Name, parse
from crossfade.core.analysis.expression_tokens import ExpressionError


def most_errors(metric: Content) -> float | None:
    """
    Return the share of errors, in percent, that an Argo metric allows; None when it tells none.

    A success rate is known by its name and by a condition such as `result[0] >= 0.95`.
    """
    name = text(metric.get("name")).lower()
    try:
        tree = parse(text(metric.get("successCondition")))
    except ExpressionError:
        return None
    match tree:
        case Binary(operator, Name() | Member(Name(), Literal(0)), Literal(limit)):
            pass
        case _:
            return None
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 <= limit <= 1:
        return None
    if operator in (">", ">=") and "success" in name:
        return round((1 - limit) * 100, 6)
    if operator in ("<", "<=") and ("error" in name or "fail" in name):
        return round(limit * 100, 6)
    return None
