"""The part of the page 影像组学 that makes a model of a cohort."""
