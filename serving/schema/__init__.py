"""JSON Schemas as the decoder's constraint."""
