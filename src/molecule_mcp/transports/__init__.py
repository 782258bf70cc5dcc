"""The doors of the server. Imports nothing, so that `streams` can run before the SDK is loaded."""
