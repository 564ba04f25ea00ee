"""The page 后结构化: notes in, entities, relations and the patient's view out."""
