"""An image's class by any classifier of the hospital's own, with where it was seen."""
