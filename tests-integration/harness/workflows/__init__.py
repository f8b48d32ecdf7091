"""The workflows that the cases of the conformance catalogue start, a module for each subject."""

from harness.workflows import (
    batches,
    branches,
    channels,
    combinations,
    context,
    delegations,
    echo,
    failures,
    families,
    inlines,
    names,
    properties,
    sequences,
    tags,
    timeouts,
    timers,
    versions,
    views,
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
    (tags.Tagged, tags.TaggedImpl),
    (delegations.Delegations, delegations.DelegationsImpl),
    (timeouts.Timeouts, timeouts.TimeoutsImpl),
    (names.Named, names.NamedImpl),
    (versions.Versioned, versions.VersionedImpl, versions.VersionedImpl_1),
    (batches.Batches, batches.BatchesImpl),
    (views.Views, views.ViewsImpl),
)
"""A contract and its implementations, one for each version."""


def contract_named(name: str) -> type:
    """The contract of that name."""
    return next(contract for contract, *_ in WORKFLOWS if contract.__name__ == name)
