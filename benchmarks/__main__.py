"""Run every timing once and print it beside its goal. Exit code 1 when a goal is missed."""

import sys

import anyio

from benchmarks import calls, start, store


def row(name: str, ours: float, bare: float, goal: float) -> bool:
    """Print a ratio; whether it is within its goal."""
    ratio = ours / bare
    print(
        f"{name:30} {ours:9.2f} ms {bare:9.2f} ms {ratio:6.2f} x  goal {goal:.2f} x  {'ok' if ratio <= goal else 'OVER'}"
    )
    return ratio <= goal


def main() -> int:
    """All timings."""
    print(f"{'':34} {'ours':>12} {'bare SDK':>12}   ratio")
    good = [row("start to tools/list", *start.measure(15), 1.10)]
    good.append(row("get_workspace", *anyio.run(calls.measure, 9), 1.05))
    p95 = store.measure(1000)
    good.append(p95 <= 1.5)
    print(f"{'claim + intent, p95':34} {p95:9.2f} ms {'':20}  goal 1.50 ms {'ok' if p95 <= 1.5 else 'OVER'}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
