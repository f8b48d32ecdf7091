"""What the tests with several wheels share: services and workflows, modes, deployments."""
