"""A world is what the user derives from it, with a ledger of its own."""

from robotape_harness.world import World


def test_every_world_has_a_ledger_of_its_own() -> None:
    first, second = World(), World()
    first.ledger.commit("ring")
    assert (len(first.ledger), len(second.ledger)) == (1, 0)


def test_services_are_attributes_that_commit() -> None:
    class Bell:
        def __init__(self, world: World) -> None:
            self.world = world

        def ring(self) -> None:
            self.world.ledger.commit("ring", loud=True)

    class Town(World):
        def __init__(self) -> None:
            super().__init__()
            self.bell = Bell(self)

    town = Town()
    town.bell.ring()
    assert town.ledger.totals() == {'ring {"loud":true}': 1}
