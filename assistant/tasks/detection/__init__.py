"""检出: nodules of the lungs in CT, with size, place, density and category; for research only."""
