"""The shop of the demo: contracts, services and the order workflow."""
