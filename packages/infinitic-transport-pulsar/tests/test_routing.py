from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from infinitic_common.ids import new_id
from infinitic_transport_pulsar._sending import partition_of

KEYS = 10_000


def test_consume_09_with_one_partition_every_key_goes_there() -> None:
    assert {partition_of(new_id(), 1) for _ in range(KEYS)} == {0}


@pytest.mark.parametrize("partitions", [2, 8, 64])
def test_consume_09_keys_spread_over_all_partitions(partitions: int) -> None:
    counts = Counter(partition_of(new_id(), partitions) for _ in range(KEYS))
    assert set(counts) == set(range(partitions))
    mean = KEYS / partitions
    assert all(abs(count - mean) < max(mean / 2, 1) for count in counts.values())


def test_consume_09_a_key_has_one_partition_whoever_asks() -> None:
    key = new_id()
    with ThreadPoolExecutor(10) as threads:
        answers = threads.map(lambda _: partition_of(key, 8), range(1000))
    assert len(set(answers)) == 1
