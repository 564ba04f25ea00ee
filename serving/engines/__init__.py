"""The engines: what runs a model behind `serving.engine.Engine`."""
