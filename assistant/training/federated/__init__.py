"""One model from several hospitals: weights travel, records stay."""
