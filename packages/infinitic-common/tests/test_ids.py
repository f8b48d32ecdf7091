"""Identifiers never come twice, and derived ones always do."""

from concurrent.futures import ThreadPoolExecutor

from infinitic_common.ids import new_id

PRODUCERS = 1000
EACH = 1000


def produced(_: int) -> list[str]:
    return [new_id() for _ in range(EACH)]


def test_ids_01_a_thousand_producers_of_a_thousand_ids_make_a_million() -> None:
    with ThreadPoolExecutor(max_workers=PRODUCERS) as threads:
        ids = {one for many in threads.map(produced, range(PRODUCERS)) for one in many}
    assert len(ids) == PRODUCERS * EACH
