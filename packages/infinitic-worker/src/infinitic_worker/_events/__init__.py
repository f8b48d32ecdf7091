"""Listening to events: from the records of components to CloudEvents for the user's listener."""
