"""Contracts: what a service or a workflow offers, read once from its ``Protocol`` or ABC."""

from infinitic_common._contracts.channels import ChannelContract
from infinitic_common._contracts.contract import (
    Contract,
    attribute_codec,
    contract_of,
    contracts_of,
    is_contract,
)
from infinitic_common._contracts.methods import MethodContract, Parameter

__all__ = [
    "ChannelContract",
    "Contract",
    "MethodContract",
    "Parameter",
    "attribute_codec",
    "contract_of",
    "contracts_of",
    "is_contract",
]
