"""How many seeded bugs the search of properties finds in 100 examples, over 20 seeds.

python tests/checks/seeded_bugs.py [seeds]
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from robotape_harness import World
from robotape_harness.properties import check_tool
from tests.harness.properties.leaky_tools import CASES, Case

SHARE = 0.95


def is_found(case: Case, seed: int) -> tuple[bool, bool]:
    """Whether the bug is found, and whether the sound twin is flagged."""
    options: dict[str, Any] = {
        "deps": World,
        "never": case.never,
        "forbidden": case.forbidden,
        "max_effects": case.max_effects,
        "examples": 100,
        "seed": seed,
    }
    broken = check_tool(case.broken, **options).violations
    return bool(broken), bool(check_tool(case.sound, **options).violations)


def main(seeds: int) -> int:
    """Print a line per bug; fail below 95 %, or where a sound twin is flagged."""
    total = flagged = 0
    for name, case in CASES.items():
        results = [is_found(case, seed) for seed in range(seeds)]
        found, wrong = (sum(column) for column in zip(*results, strict=True))
        print(f"{name:20} found {found}/{seeds}, sound twin flagged {wrong}/{seeds}", flush=True)
        total, flagged = total + found, flagged + wrong
    print(f"{'all':20} found {total}/{seeds * len(CASES)}, sound twins flagged {flagged}")
    return int(total < SHARE * seeds * len(CASES) or flagged > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
