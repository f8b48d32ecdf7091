"""The state engine's decisions: plain functions from a state and a message to what follows."""
