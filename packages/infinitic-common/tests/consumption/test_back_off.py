import pytest

from infinitic_common._consumption import BackOff


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1), (3, 2), (4, 3), (5000, 3)])
def test_the_wait_doubles_up_to_the_longest(failures: int, seconds: float) -> None:
    assert BackOff(first=0.5, longest=3).seconds(failures) == seconds
