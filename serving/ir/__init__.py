"""Checkpoint → OpenVINO stateful IR, built operation by operation: no torch, no remote code."""
