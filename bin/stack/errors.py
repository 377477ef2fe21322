class StackError(Exception):
    """What stops bin/dev or bin/test. Its text is one line for the person at the terminal.

    `detail` is the end of another program's output, shown below that line.
    """

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


def tail(output: str, lines: int = 15) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])
