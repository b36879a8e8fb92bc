"""Property tests try the same examples in every run, so that a build fails for what changed and not by chance.

``HYPOTHESIS_PROFILE=default`` tries new ones, as a search for faults.
"""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
