"""How the code of workflows runs: live, or rebuilt from its history."""
