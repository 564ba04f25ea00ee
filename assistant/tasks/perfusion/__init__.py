"""灌注: CT or MR perfusion from scan to maps, volumes and report; for research only."""
