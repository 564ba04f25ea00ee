"""Pictures of a report, as SVG that stands in the page."""
