"""Scores of two judges with the measures of their agreement: agreement.json.

    pip install krippendorff==0.9.0 scipy==1.17.1
    python agreement.py

Krippendorff's alpha is that of the package krippendorff, the rank correlations are scipy's.
"""

import json
import math
import random
from pathlib import Path

import krippendorff
from scipy.stats import kendalltau, spearmanr


def measure(function):
    try:
        value = float(function())
    except (ValueError, RuntimeWarning):
        return None
    return value if math.isfinite(value) else None


def case(a, b):
    data = [a, b]
    return {
        "pairs": list(zip(a, b)),
        "alpha_interval": measure(lambda: krippendorff.alpha(reliability_data=data, level_of_measurement="interval")),
        "alpha_ordinal": measure(lambda: krippendorff.alpha(reliability_data=data, level_of_measurement="ordinal")),
        "spearman": measure(lambda: spearmanr(a, b).statistic),
        "kendall": measure(lambda: kendalltau(a, b).statistic),
    }


def main():
    rng = random.Random(8)
    cases = []
    for count in (2, 3, 5, 12, 40, 80):
        for levels in (2, 3, 11, 10_000):
            a = [float(rng.randrange(levels)) for _ in range(count)]
            near = [min(levels - 1.0, max(0.0, x + rng.choice([-1, 0, 0, 1]))) for x in a]
            far = [rng.randrange(levels) / 2 for _ in range(count)]
            cases += [case(a, near), case(a, far), case(a, [-x for x in a])]
    cases.append(case([3.0] * 6, [3.0, 3.0, 4.0, 3.0, 3.0, 3.0]))
    cases.append(case([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]))
    Path(__file__).with_suffix(".json").write_text("\n".join(["[", ",\n".join(json.dumps(c) for c in cases), "]", ""]))
    print(len(cases), "cases")


main()
