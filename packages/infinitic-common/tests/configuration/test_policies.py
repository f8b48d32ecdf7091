import pytest

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    load_configuration,
    string_source,
)


def backoff(text: str) -> ExponentialBackoff:
    return load_configuration(ExponentialBackoff, string_source(text), environ={})


def test_a_backoff_has_defaults() -> None:
    assert backoff("") == ExponentialBackoff(
        minimum_seconds=1.0,
        maximum_seconds=1000.0,
        backoff_coefficient=2.0,
        random_factor=0.5,
        maximum_retries=11,
        ignored_exceptions=(),
    )


def test_the_longest_delay_follows_the_first_one_unless_it_is_given() -> None:
    assert backoff("minimumSeconds: 0.5").maximum_seconds == 500.0
    assert ExponentialBackoff(minimum_seconds=2, maximum_seconds=3).maximum_seconds == 3


def test_every_value_of_a_backoff_is_read() -> None:
    text = """
minimumSeconds: 2
maximumSeconds: 10
backoffCoefficient: 1
randomFactor: 0
maximumRetries: 0
ignoredExceptions: [ValueError, shop.NoMoney]
"""
    assert backoff(text) == ExponentialBackoff(
        minimum_seconds=2.0,
        maximum_seconds=10.0,
        backoff_coefficient=1.0,
        random_factor=0.0,
        maximum_retries=0,
        ignored_exceptions=("ValueError", "shop.NoMoney"),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("minimumSeconds: 0", "minimumSeconds (text:1): must be > 0, is 0"),
        ("minimumSeconds: -1", "must be > 0, is -1"),
        ("maximumSeconds: 1", "maximumSeconds (text:1): must be > minimumSeconds (1), is 1"),
        ("backoffCoefficient: 0.9", "backoffCoefficient (text:1): must be >= 1, is 0.9"),
        ("randomFactor: 1.1", "randomFactor (text:1): must be between 0 and 1, is 1.1"),
        ("randomFactor: -0.1", "must be between 0 and 1"),
        ("maximumRetries: -1", "maximumRetries (text:1): must be >= 0, is -1"),
        ("maximumRetries: 1.5", "must be an integer, is 1.5"),
        ("ignoredExceptions: ['']", "ignoredExceptions[0] (text:1): must not be blank"),
        ("ignoredExceptions: ValueError", "must be a list, is 'ValueError'"),
    ],
)
def test_a_backoff_out_of_bounds_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        backoff(text)
    assert complaint in str(caught.value)


def test_a_backoff_made_by_hand_is_checked_alike() -> None:
    with pytest.raises(ConfigurationError, match="minimumSeconds: must be > 0, is 0"):
        ExponentialBackoff(minimum_seconds=0)
    with pytest.raises(ConfigurationError, match="maximumSeconds: must be > minimumSeconds"):
        ExponentialBackoff(minimum_seconds=2, maximum_seconds=2)


def test_a_batch_made_by_hand_is_checked() -> None:
    with pytest.raises(ConfigurationError, match="maxMessages: must be > 0, is 0"):
        BatchConfiguration(max_messages=0)
