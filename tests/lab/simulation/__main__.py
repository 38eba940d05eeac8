"""`python -m tests.lab.simulation SEED [POINT …]`: run one scenario with its crashes and show every step."""

import sys

from tests.lab.simulation.scenario import scenario
from tests.lab.simulation.simulation import Simulation
from tests.lab.simulation.world import BEGINNING


def main(seed: int, *crashes: int) -> int:
    chosen = scenario(seed)
    print(chosen)
    simulation = Simulation()
    simulation.on_step = lambda step, rows: print(
        f"{(simulation.world.now - BEGINNING) / 1000:10.3f} s  life {simulation.world.life}  "
        f"point {simulation.points:3}  {step} {' '.join(map(str, rows))}"
    )
    with simulation.installed():
        simulation.replay(chosen, crashes)
    for entry in simulation.world.entries:
        print(entry)
    print("\n".join(simulation.found) or "All promises were kept.")
    return 1 if simulation.found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
