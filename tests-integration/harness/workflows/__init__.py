"""The workflows that the cases of the conformance catalogue start, a module for each subject."""

from harness.workflows import (
    branches,
    channels,
    combinations,
    context,
    echo,
    failures,
    families,
    inlines,
    properties,
    sequences,
    timers,
)

WORKFLOWS: tuple[tuple[type, ...], ...] = (
    (sequences.Sequences, sequences.SequencesImpl),
    (context.Context, context.ContextImpl),
    (combinations.Combinations, combinations.CombinationsImpl),
    (branches.Branches, branches.BranchesImpl),
    (echo.Echo, echo.EchoImpl),
    (channels.Channels, channels.ChannelsImpl),
    (families.Family, families.FamilyImpl),
    (inlines.Inlines, inlines.InlinesImpl),
    (properties.Properties, properties.PropertiesImpl),
    (timers.Timers, timers.TimersImpl),
    (failures.Failures, failures.FailuresImpl),
)
"""A contract and its implementations, one for each version."""


def contract_named(name: str) -> type:
    """The contract of that name."""
    return next(contract for contract, *_ in WORKFLOWS if contract.__name__ == name)
