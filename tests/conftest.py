"""Property tests try the same examples in every run, so that a build fails for what changed and not by chance.

``HYPOTHESIS_PROFILE=default`` tries new ones, as a search for faults.
"""

import os

from hypothesis import settings

# Before NumPy is loaded, here and in what the tests start: its products are small, and threads that wait for each other
# on a busy machine took half of all the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
