"""Fixtures: a clock, and tenants that are closed after the test."""

from collections.abc import Callable, Iterator

import pytest

from tests.embedded.support import Clock, Desk


@pytest.fixture
def clock() -> Clock:
    """A clock at START."""
    return Clock()


@pytest.fixture
def desks(clock: Clock) -> Iterator[Callable[..., Desk]]:
    """Makes tenants; give options as keywords."""
    made: list[Desk] = []

    def make(**options: object) -> Desk:
        made.append(Desk(clock, **options))  # pyright: ignore[reportArgumentType]
        return made[-1]

    yield make
    for desk in made:
        desk.app.close()


@pytest.fixture
def desk(desks: Callable[..., Desk]) -> Desk:
    """An empty tenant with an admin secret, Docker, and neither limits nor agents."""
    return desks()


@pytest.fixture
def sample(desks: Callable[..., Desk]) -> Desk:
    """A tenant with the sample organization."""
    return desks(empty=False)
