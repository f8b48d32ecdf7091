"""The parts of the transport contract; ``infinitic_common.testing.transport`` puts them together."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"infinitic_common.testing._transport.{part}"
        for part in ("batches", "failures", "order", "sharing", "stopping", "topics")
    )
)
