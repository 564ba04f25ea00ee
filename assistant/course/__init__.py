"""The course of a stay: its events in order, each with its place, and which of them a text lacks."""
