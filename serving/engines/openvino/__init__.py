"""Models as OpenVINO IR, batched by GenAI or run one request at a time."""
