"""Identifiers never come twice, and derived ones always do."""

from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

from infinitic_common.ids import derived_id, new_id

PRODUCERS = 1000
EACH = 1000


def produced(_: int) -> list[str]:
    return [new_id() for _ in range(EACH)]


def test_ids_01_a_thousand_producers_of_a_thousand_ids_make_a_million() -> None:
    with ThreadPoolExecutor(max_workers=PRODUCERS) as threads:
        ids = {one for many in threads.map(produced, range(PRODUCERS)) for one in many}
    assert len(ids) == PRODUCERS * EACH


def test_derived_ids_are_those_that_every_release_derives() -> None:
    assert derived_id("x", 1) == "646d8c33-f47f-8eaa-abbe-7514b625cfec"
    assert derived_id("x", 2) != derived_id("x", 1)


def test_ids_are_uuids_that_tell_their_version() -> None:
    for version, identifiers in (7, produced(0)), (8, [derived_id("x", n) for n in range(EACH)]):
        for identifier in identifiers:
            known = UUID(identifier)
            assert (known.version, known.variant, str(known)) == (version, RFC_4122, identifier)
