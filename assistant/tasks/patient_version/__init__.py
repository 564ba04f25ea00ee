"""患者版: the advice of a discharge record in plain language."""
