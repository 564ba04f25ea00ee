"""Compiled image models of any origin: opened, checked, and run over volumes of any size."""
