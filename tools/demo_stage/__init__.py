"""How the demo shows the shop: where it runs, what is done to it, what is seen."""
