"""Events as components tell them, and how they leave."""
