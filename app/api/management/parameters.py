"""What the management plane reads of paths and queries."""

from app.api.request import Request
from app.contract import strings


def subscriber_id(request: Request) -> str:
    """The path's; a path without one is that of the subscriber `import`. Raises InvalidRequest."""
    if "subscriber_id" not in request.scope["path_params"]:
        return "import"
    text = request.path_value("subscriber_id")
    strings.check_length(text, "subscriber_id")
    return text
