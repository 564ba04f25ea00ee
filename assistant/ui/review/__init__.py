"""Forms for reviewers on the page 系统: the weekly sample, and two texts side by side."""
