"""Tests of the pages; a package, so that its browser and servers end with it."""
