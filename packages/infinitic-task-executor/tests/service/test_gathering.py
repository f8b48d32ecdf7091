"""How tasks are gathered into batches."""

from service_doubles import until

from infinitic_task_executor._service.gathering import Gatherer


class Closed:
    """The batches that were closed."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[int]]] = []

    def __call__(self, key: int, items: list[int]) -> None:
        self.batches.append((key, items))

    @property
    def count(self) -> int:
        return sum(len(items) for _, items in self.batches)


async def test_consume_11_a_batch_closed_by_count_has_one_key() -> None:
    closed = Closed()
    gatherer = Gatherer(20, 1000.0, closed)
    for number in range(300):
        gatherer.add(number % 3, number)

    assert closed.count == 300
    assert all(len(items) == 20 for _, items in closed.batches)
    assert all(item % 3 == key for key, items in closed.batches for item in items)


async def test_consume_11_a_batch_closed_by_time_has_one_key_and_more_than_one_item() -> None:
    closed = Closed()
    gatherer = Gatherer(20, 0.01, closed)
    for number in range(9):
        gatherer.add(number % 3, number)
    await until(lambda: closed.count == 9)

    assert sorted(closed.batches) == [(0, [0, 3, 6]), (1, [1, 4, 7]), (2, [2, 5, 8])]


async def test_consume_12_more_than_the_most_close_the_first_ones() -> None:
    closed = Closed()
    gatherer = Gatherer(3, 1000.0, closed)
    for number in range(5):
        gatherer.add(0, number)

    assert closed.batches == [(0, [0, 1, 2])]
    gatherer.hurry()


async def test_consume_12_the_end_of_the_source_closes_what_is_there() -> None:
    closed = Closed()
    gatherer = Gatherer(3, 1000.0, closed)
    gatherer.add(0, 1)
    gatherer.add(0, 2)
    gatherer.hurry()
    gatherer.hurry()

    assert closed.batches == [(0, [1, 2])]
    gatherer.add(0, 3)
    await until(lambda: closed.count == 3)


async def test_consume_12_time_closes_what_is_there_and_leaves_the_source_open() -> None:
    closed = Closed()
    gatherer = Gatherer(3, 0.01, closed)
    gatherer.add(0, 1)
    await until(lambda: closed.count == 1)
    gatherer.add(0, 2)
    await until(lambda: closed.count == 2)

    assert closed.batches == [(0, [1]), (0, [2])]


async def test_consume_12_time_that_passes_without_items_closes_nothing() -> None:
    closed, later = Closed(), Closed()
    Gatherer(3, 0.001, closed)
    Gatherer(3, 0.001, later).add(0, 1)
    await until(lambda: later.count == 1)

    assert not closed.batches
