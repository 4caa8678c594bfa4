"""Makes the fixtures of the bench known to all tests; they import Slicer's libraries only when a test asks for them."""

pytest_plugins = ["Testing.host.driving.fixtures"]
