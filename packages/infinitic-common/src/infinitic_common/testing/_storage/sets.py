# ruff: noqa: S101 -- a test's name says what it shows
"""Sets of texts by key."""

import asyncio

import pytest

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import KeySetStorage, Page
from infinitic_common.testing._storage.samples import LONGEST_KEYS, ODD_TEXTS


async def seed_set(storage: KeySetStorage) -> None:
    """Give the key ``foo`` the set of ``bar``."""
    await storage.update({"foo": ["bar"]}, {})


async def get_set(storage: KeySetStorage, key: str) -> frozenset[str]:
    """The set of one key."""
    return (await storage.get([key]))[key]


class SetsSuite:
    """Adding, removing and reading."""

    async def test_storage_23_an_unknown_key_is_an_empty_set(self, storage: KeySetStorage) -> None:
        await seed_set(storage)
        assert await get_set(storage, "unknown") == frozenset()
        assert await get_set(storage, "foo") == {"bar"}

    async def test_storage_23_adding_creates_a_set_and_extends_it(
        self, storage: KeySetStorage
    ) -> None:
        await seed_set(storage)
        await storage.update({"unknown": ["value"], "foo": ["other"]}, {})
        assert await get_set(storage, "unknown") == {"value"}
        assert await get_set(storage, "foo") == {"bar", "other"}

    async def test_storage_23_adding_twice_is_adding_once(self, storage: KeySetStorage) -> None:
        await seed_set(storage)
        await storage.update({"foo": ["bar", "bar"]}, {})
        await storage.update({"foo": ["bar"]}, {})
        assert await get_set(storage, "foo") == {"bar"}

    async def test_storage_23_removing_what_is_not_there_does_nothing(
        self, storage: KeySetStorage
    ) -> None:
        await seed_set(storage)
        await storage.update({}, {"unknown": ["value"], "foo": ["absent"]})
        assert await storage.get(["unknown", "foo"]) == {"unknown": set(), "foo": {"bar"}}

    async def test_storage_23_removing_the_last_value_leaves_an_empty_set(
        self, storage: KeySetStorage
    ) -> None:
        await seed_set(storage)
        await storage.update({}, {"foo": ["bar", "bar"]})
        assert await get_set(storage, "foo") == frozenset()

    async def test_storage_24_several_keys_in_one_read(self, storage: KeySetStorage) -> None:
        await seed_set(storage)
        assert await storage.get(["foo", "unknown", "foo"]) == {
            "foo": frozenset({"bar"}),
            "unknown": frozenset(),
        }

    async def test_no_key_at_all(self, storage: KeySetStorage) -> None:
        await storage.update({}, {})
        await storage.update({"foo": []}, {"foo": []})
        assert await storage.get([]) == {}
        assert await get_set(storage, "foo") == frozenset()

    async def test_additions_and_removals_of_many_sets_in_one_call(
        self, storage: KeySetStorage
    ) -> None:
        await storage.update({"a": ["1", "2"], "b": ["1"], "c": ["1"]}, {})
        await storage.update({"a": ["3"], "b": ["2"], "d": ["1"]}, {"a": ["1"], "c": ["1"]})
        assert await storage.get(["a", "b", "c", "d"]) == {
            "a": {"2", "3"},
            "b": {"1", "2"},
            "c": set(),
            "d": {"1"},
        }

    async def test_a_value_removed_and_added_in_one_call_is_there(
        self, storage: KeySetStorage
    ) -> None:
        await seed_set(storage)
        await storage.update({"foo": ["bar", "new"]}, {"foo": ["bar", "new"]})
        assert await get_set(storage, "foo") == {"bar", "new"}

    async def test_a_value_in_one_set_is_not_in_another(self, storage: KeySetStorage) -> None:
        await storage.update({"a": ["value"], "b": ["value"]}, {})
        await storage.update({}, {"a": ["value"]})
        assert await storage.get(["a", "b"]) == {"a": set(), "b": {"value"}}

    async def test_five_hundred_keys_and_values_in_one_call(self, storage: KeySetStorage) -> None:
        values = [f"value-{i}" for i in range(500)]
        sets = {f"key-{i}": [f"value-{i}"] for i in range(500)}
        await storage.update({"all": values, **sets}, {})
        found = await storage.get(["all", *sets])
        assert found == {
            "all": frozenset(values),
            **{key: frozenset(of_key) for key, of_key in sets.items()},
        }
        await storage.update({}, {"all": values, **sets})
        assert not any((await storage.get(["all", *sets])).values())

    async def test_odd_keys_and_values_are_kept_apart(self, storage: KeySetStorage) -> None:
        keys = (*ODD_TEXTS, *LONGEST_KEYS)
        await storage.update(dict.fromkeys(keys, keys), {})
        await storage.update({}, {keys[1]: keys[:2]})
        found = await storage.get(keys)
        assert found[keys[0]] == found[keys[2]] == frozenset(keys)
        assert found[keys[1]] == frozenset(keys[2:])

    async def test_a_key_of_256_characters_is_refused_by_name(self, storage: KeySetStorage) -> None:
        key = "k" * 256
        with pytest.raises(StorageError, match="kkk"):
            await storage.update({key: ["value"]}, {})
        with pytest.raises(StorageError, match="kkk"):
            await storage.update({}, {key: ["value"]})
        with pytest.raises(StorageError, match="kkk"):
            await storage.get([key])
        with pytest.raises(StorageError, match="kkk"):
            await storage.get_page(key, 10)

    async def test_concurrent_additions_are_all_kept(self, storage: KeySetStorage) -> None:
        adds = [
            storage.update({"foo": [f"{i}-{j}" for j in range(5)] + ["common"]}, {})
            for i in range(20)
        ]
        await asyncio.gather(*adds)
        values = {f"{i}-{j}" for i in range(20) for j in range(5)}
        assert await get_set(storage, "foo") == values | {"common"}

    async def test_concurrent_additions_and_removals_in_opposite_orders_all_end(
        self, storage: KeySetStorage
    ) -> None:
        values = [f"value-{i:02}" for i in range(50)]
        await storage.update({"foo": values, "bar": values}, {})
        async with asyncio.timeout(10):
            await asyncio.gather(
                *(storage.update({"foo": values}, {"bar": values[::-1]}) for _ in range(4)),
                *(storage.update({"bar": values[::-1]}, {"foo": values}) for _ in range(4)),
            )
        await storage.update({"foo": values}, {"bar": values})
        assert await storage.get(["foo", "bar"]) == {"foo": frozenset(values), "bar": frozenset()}

    async def test_closing_twice_does_nothing(self, storage: KeySetStorage) -> None:
        assert await storage.get_page("foo", 1) == Page((), None)
        await storage.close()
        await storage.close()
