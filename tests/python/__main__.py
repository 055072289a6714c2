"""`python3 tests/python` runs these tests, says what was skipped and why, and counts."""

import collections
import os
import sys
import unittest


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    suite = unittest.defaultTestLoader.discover(here)
    # What the models under test print is shown only for a test that fails.
    result = unittest.TextTestRunner(buffer=True).run(suite)
    reasons = collections.Counter(reason for _, reason in result.skipped)
    for reason, number in reasons.most_common():
        print(f"skipped {number}: {reason}")
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
