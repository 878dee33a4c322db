# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What follows from the rounds: one cell for each row and workload."""

import statistics

import records


def ratio(rounds, name, base):
    """Median of time ÷ time of `base` in the same round."""
    return statistics.median(mine / other for times in rounds for mine, other in zip(times[name], times[base]))


def cells(heats, sizes, workloads, rows):
    """A cell holds the median ratio to the ceiling, the best ns per parameter, bytes per parameter and, for a peer, how
    many times as long as Adamant's row of the same bits it takes. Adamant's rows count the rounds of all heats."""
    ours = {row.name for row in rows if row.name.startswith("adamant")}
    found = []
    for workload in workloads:
        for row in rows:
            rounds = [heat["rounds"] for heat in heats if heat["workload"] == workload and row.name in heat["rounds"]]
            if not rounds:
                continue
            cell = {"workload": workload, "name": row.name, "ceiling ratio": ratio(rounds, row.name, "ceiling"),
                    "best ns": min(min(times[row.name]) for times in rounds),
                    "rounds": sum(len(times[row.name]) for times in rounds), "ours": row.name in ours}
            for face in ("adamant.torch", "adamant"):
                against = f"{face} {row.bits}"
                if row.name not in ours and against in rounds[0] and "against" not in cell:
                    cell.update({"against": against, "times ours": ratio(rounds, row.name, against)})
            for size in sizes:
                if (size["workload"], size["name"]) == (workload, row.name):
                    cell.update({key: size[key] for key in ("weights", "states", "temporaries")})
            found.append({key: records.rounded(value) for key, value in cell.items()})
    return found
