"""Profiles as a person writes them: a TOML file, its strict reading, its key, and what is in force under it.

A profile only narrows. Every doubt about the file stops the start; nothing here talks to a tenant.
"""
