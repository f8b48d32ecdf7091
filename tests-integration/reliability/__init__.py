"""Workers, brokers and databases that go and come back under load."""
