"""What the executor itself refuses in the code of workflows and services."""


def untellable(error: BaseException, failing: BaseException) -> Exception:
    """What is told instead of an exception that raises when it is looked into.

    Args:
        error: The exception.
        failing: What it raised then.
    """
    what = f"{type(error).__name__}, of which nothing can be told: {type(failing).__name__}"
    return RuntimeError(what)
