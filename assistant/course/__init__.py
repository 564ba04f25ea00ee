"""The course of a stay: its events in order, and which of them a text lacks."""
