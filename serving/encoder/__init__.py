"""BERT-class encoders on OpenVINO: vocabulary, graph, span head, batches."""
