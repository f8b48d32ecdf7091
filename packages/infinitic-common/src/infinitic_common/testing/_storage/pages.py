# ruff: noqa: S101 -- a test's name says what it shows
"""Sets read in pages."""

from collections.abc import AsyncIterator

from infinitic_common.storage import KeySetStorage, Page
from infinitic_common.testing._storage.samples import ODD_TEXTS


async def pages(storage: KeySetStorage, key: str, limit: int) -> AsyncIterator[Page]:
    """All pages of a set, one after the other."""
    page = await storage.get_page(key, limit)
    yield page
    while page.next_cursor is not None:
        page = await storage.get_page(key, limit, page.next_cursor)
        yield page


class PagesSuite:
    """Every value once, in ascending order, whatever happens meanwhile."""

    async def test_tags_15_values_added_in_disorder_come_in_order_and_in_pages(
        self, storage: KeySetStorage
    ) -> None:
        await storage.update({"foo": ["c", "a"], "other": ["aa"]}, {})
        await storage.update({"foo": ["b"]}, {})
        first = await storage.get_page("foo", 2)
        assert first.values == ("a", "b")
        assert first.next_cursor is not None
        assert await storage.get_page("foo", 2, first.next_cursor) == Page(("c",), None)

    async def test_an_unknown_key_has_one_empty_page(self, storage: KeySetStorage) -> None:
        assert await storage.get_page("unknown", 10) == Page((), None)

    async def test_a_last_page_that_is_full_has_no_cursor(self, storage: KeySetStorage) -> None:
        await storage.update({"foo": ["a", "b", "c", "d"]}, {})
        assert await storage.get_page("foo", 4) == Page(("a", "b", "c", "d"), None)
        assert [page.values async for page in pages(storage, "foo", 2)] == [("a", "b"), ("c", "d")]

    async def test_the_order_is_that_of_code_points(self, storage: KeySetStorage) -> None:
        await storage.update({"foo": ODD_TEXTS}, {})
        values = [v async for page in pages(storage, "foo", 3) for v in page.values]
        assert values == sorted(ODD_TEXTS)

    async def test_two_thousand_values_in_pages_of_three_hundred(
        self, storage: KeySetStorage
    ) -> None:
        values = [f"value-{i:04}" for i in range(2000)]
        await storage.update({"foo": values[::-1], "fooo": ["other"], "fo": ["other"]}, {})
        sizes = [len(page.values) async for page in pages(storage, "foo", 300)]
        found = [v async for page in pages(storage, "foo", 300) for v in page.values]
        assert sizes == [300] * 6 + [200]
        assert found == values

    async def test_values_that_stay_are_given_once_while_others_come_and_go(
        self, storage: KeySetStorage
    ) -> None:
        staying = [f"{i:03}" for i in range(0, 100, 2)]
        going = [f"{i:03}" for i in range(1, 100, 4)]
        coming = [f"{i:03}" for i in range(3, 100, 4)]
        await storage.update({"foo": [*staying, *going]}, {})
        seen: list[str] = []
        async for page in pages(storage, "foo", 7):
            seen.extend(page.values)
            leave, join = going.pop(), going.pop(0) if len(going) > 1 else None
            gone = [leave] if join is None else [leave, join]
            await storage.update({"foo": [coming.pop(), coming.pop(0)]}, {"foo": gone})
        assert [value for value in seen if value in staying] == staying
        assert len(seen) == len(set(seen))

    async def test_removing_the_values_of_each_page_skips_none(
        self, storage: KeySetStorage
    ) -> None:
        values = [f"{i:03}" for i in range(50)]
        await storage.update({"foo": values}, {})
        seen: list[str] = []
        async for page in pages(storage, "foo", 8):
            seen.extend(page.values)
            await storage.update({}, {"foo": page.values})
        assert seen == values
        assert await storage.get(["foo"]) == {"foo": frozenset()}
