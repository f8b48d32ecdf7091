"""Real servers for tests, demos and benchmarks: Pulsar, Redis, Postgres, MariaDB.

Whoever needs them calls `ensure`; the command is ``tools/services``. Only the standard library.
"""

from service_control._errors import ServiceError
from service_control._services import (
    NAMES,
    VARIABLES,
    ensure,
    restart,
    status,
    stop,
    urls,
)

__all__ = ["NAMES", "VARIABLES", "ServiceError", "ensure", "restart", "status", "stop", "urls"]
