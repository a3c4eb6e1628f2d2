"""Building: buildpacks in their sandbox, the queue, slugs, and fetching code."""
